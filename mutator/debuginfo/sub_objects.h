// The parts of a value: members, elements, and theirs.
#ifndef MCR_MUTATOR_DEBUGINFO_SUB_OBJECTS_H_
#define MCR_MUTATOR_DEBUGINFO_SUB_OBJECTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct SubObject {
  std::string path;  // ".at", "[1]", ".first.next"
  uint64_t offset = 0;
  TypeId type = 0;
};

// In no particular order; without bit-fields. Large values have too many to be worth a list: empty.
std::vector<SubObject> SubObjectsOf(const TypeTable& types, TypeId type);

// Whether a part of a value, or the value, begins at `offset` or ends there. Of bits, nothing does.
bool BeginsOrEndsAt(const TypeTable& types, TypeId type, uint64_t offset);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_SUB_OBJECTS_H_
