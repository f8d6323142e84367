// The value of a bound state filter in one process.
#ifndef MCR_MUTATOR_FILTER_EVALUATOR_H_
#define MCR_MUTATOR_FILTER_EVALUATOR_H_

#include <string>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"
#include "mutator/filter/bound.h"

namespace mcr::mutator {

// What was read for it: what is written in the filter, and its value for people.
using Observations = std::vector<std::pair<std::string, std::string>>;

// `biases`: where the programs that the filter was bound to are loaded. Fails for pointers that are
// null or lead to no memory, and for what C leaves undefined.
Result<bool> EvaluateFilter(const Bound& filter, const MemoryReader& memory,
                            const std::vector<Addr>& biases, Observations& observations);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_EVALUATOR_H_
