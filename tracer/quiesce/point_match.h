// Which quiescent point of a profile a thread is at.
#ifndef MCR_TRACER_QUIESCE_POINT_MATCH_H_
#define MCR_TRACER_QUIESCE_POINT_MATCH_H_

#include <set>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace mcr::tracer {

// The system calls of all points.
std::set<long> PointCalls(const profiles::Profile& profile);

// The role that has a point with this call whose call stack is how `functions` begins (names of the
// program's functions, innermost first), or nullptr.
const profiles::Role* FindRole(const profiles::Profile& profile, long call,
                               const std::vector<std::string>& functions);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_QUIESCE_POINT_MATCH_H_
