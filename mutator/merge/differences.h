// What the debug information alone says about an update: the part of a merge that needs no image.
#ifndef MCR_MUTATOR_MERGE_DIFFERENCES_H_
#define MCR_MUTATOR_MERGE_DIFFERENCES_H_

#include <string>
#include <vector>

#include "mutator/debuginfo/program.h"
#include "mutator/merge/address_map.h"

namespace mcr::mutator {

// `problems`: what of it forbids an update.
struct Differences {
  std::vector<TypeChange> types;
  std::vector<std::string> changed_variables;  // same name, other type or size: with the reason
  std::vector<std::string> new_variables, dropped_variables;
  std::vector<std::string> new_functions, dropped_functions;
  std::vector<std::string> problems;
};
// `map` is that of these two.
Differences Compare(const Program& before, const Program& after, AddressMap& map);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_DIFFERENCES_H_
