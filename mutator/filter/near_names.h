// What somebody may have meant who misspelled a name.
#ifndef MCR_MUTATOR_FILTER_NEAR_NAMES_H_
#define MCR_MUTATOR_FILTER_NEAR_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

namespace mcr::mutator {

// "did you mean `a`, `b`?", or "" if nothing is near.
std::string NearNames(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_NEAR_NAMES_H_
