// What stands in the way of an update.
#ifndef MCR_UPDATE_PROBLEMS_H_
#define MCR_UPDATE_PROBLEMS_H_

#include <string>
#include <vector>

#include "mcr/update/options.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::update {

// In one line: the first one, and how many more there are; "" if there is none.
std::string SumUp(const std::vector<std::string>& problems);

// With --strict, what looks like a pointer and is not known to be one is a problem.
void AddLikelyPointers(const Options& options, mutator::MergePlan& plan);

}  // namespace mcr::update

#endif  // MCR_UPDATE_PROBLEMS_H_
