#include "tracer/quiesce/point_match.h"

#include <algorithm>

#include "mcr/base/system_call.h"

namespace mcr::tracer {
namespace {

bool Matches(const profiles::QuiescentPoint& point, long call,
             const std::vector<std::string>& functions) {
  if (BlockingCallNumber(point.system_call()) != call) return false;
  const auto& stack = point.call_stack();
  return static_cast<size_t>(stack.size()) <= functions.size() &&
         std::equal(stack.begin(), stack.end(), functions.begin());
}

}  // namespace

std::set<long> PointCalls(const profiles::Profile& profile) {
  std::set<long> calls;
  for (const profiles::Role& role : profile.learned().roles()) {
    for (const profiles::QuiescentPoint& point : role.quiescent_points()) {
      if (const auto number = BlockingCallNumber(point.system_call())) calls.insert(*number);
    }
  }
  return calls;
}

const profiles::Role* FindRole(const profiles::Profile& profile, long call,
                               const std::vector<std::string>& functions) {
  for (const profiles::Role& role : profile.learned().roles()) {
    for (const profiles::QuiescentPoint& point : role.quiescent_points()) {
      if (Matches(point, call, functions)) return &role;
    }
  }
  return nullptr;
}

}  // namespace mcr::tracer
