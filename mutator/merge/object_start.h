// Whether an object begins at an offset of a type: a member, an array element, a scalar.
#ifndef MCR_MUTATOR_MERGE_OBJECT_START_H_
#define MCR_MUTATOR_MERGE_OBJECT_START_H_

#include <cstdint>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Of an unknown type nothing is known: true. Bytes of characters all are objects.
bool IsObjectStart(const TypeTable& types, TypeId type, uint64_t offset);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_OBJECT_START_H_
