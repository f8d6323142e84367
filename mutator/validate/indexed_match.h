// Where the elements of an array are that each belong to a variable that holds its index
// (annotation: indexed), found by the variables' names. Shares nothing with what the merge goes by.
#ifndef MCR_MUTATOR_VALIDATE_INDEXED_MATCH_H_
#define MCR_MUTATOR_VALIDATE_INDEXED_MATCH_H_

#include <cstdint>
#include <map>
#include <string_view>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/validate/version_pair.h"

namespace mcr::mutator {

struct VersionMemory {
  Addr bias;  // where file address 0 is
  const MemoryReader& memory;
};

// By the offset of an old element, that of the same variable's new one. `field`: as the annotation
// calls it. Empty: no annotation speaks of it.
std::map<uint64_t, uint64_t> MatchIndexed(std::string_view field, const VersionPair& versions,
                                          const VersionMemory& before, const VersionMemory& after);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_INDEXED_MATCH_H_
