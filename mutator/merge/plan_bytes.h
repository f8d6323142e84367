// A MergePlan as bytes: the same bytes for the same plan, whatever it was made from.
#ifndef MCR_MUTATOR_MERGE_PLAN_BYTES_H_
#define MCR_MUTATOR_MERGE_PLAN_BYTES_H_

#include <string>

#include "mutator/merge/merge_plan.h"

namespace mcr::mutator {

std::string Serialise(const MergePlan& plan);

// SHA-256 of that, hexadecimal.
std::string Digest(const MergePlan& plan);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_PLAN_BYTES_H_
