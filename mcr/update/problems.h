// What stands in the way of an update.
#ifndef MCR_UPDATE_PROBLEMS_H_
#define MCR_UPDATE_PROBLEMS_H_

#include <string>
#include <vector>

namespace mcr::update {

// In one line: the first one, and how many more there are; "" if there is none.
std::string SumUp(const std::vector<std::string>& problems);

}  // namespace mcr::update

#endif  // MCR_UPDATE_PROBLEMS_H_
