#include "tracer/quiesce/point_match.h"

#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "mcr/base/system_call.h"

namespace mcr::tracer {
namespace {

// Compilers make several functions of one, or one for a certain use: "f.part.0", "f.constprop.0".
// Which ones differs from build to build.
std::string_view SourceName(std::string_view function) {
  return function.substr(0, function.find('.'));
}

// A call that has been interrupted once goes by the name of restart_syscall, and only the call
// stack tells what it was. The kernel restarts these in that way (signal(7)).
bool MayBe(long call, long wanted) {
  constexpr long kRestarted[] = {SYS_clock_nanosleep, SYS_futex, SYS_nanosleep, SYS_poll};
  return call == wanted || (call == SYS_restart_syscall &&
                            std::ranges::find(kRestarted, wanted) != std::end(kRestarted));
}

bool Matches(const profiles::QuiescentPoint& point, long call,
             const std::vector<std::string>& functions) {
  const auto wanted = BlockingCallNumber(point.system_call());
  if (!wanted || !MayBe(call, *wanted)) return false;
  const auto& stack = point.call_stack();
  return static_cast<size_t>(stack.size()) <= functions.size() &&
         std::equal(stack.begin(), stack.end(), functions.begin(),
                    [](const std::string& wanted, const std::string& function) {
                      return wanted == SourceName(function);
                    });
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
