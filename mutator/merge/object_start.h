// Whether an object begins at an offset of a type: a member, an array element, a scalar.
#ifndef MCR_MUTATOR_MERGE_OBJECT_START_H_
#define MCR_MUTATOR_MERGE_OBJECT_START_H_

#include <cstdint>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Of an unknown type nothing is known: true. `smallest`: objects of fewer bytes do not count; with
// 1, every character of a text is an object.
bool IsObjectStart(const TypeTable& types, TypeId type, uint64_t offset, uint64_t smallest = 1);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_OBJECT_START_H_
