#include "mcr/base/fault.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace mcr {
namespace {

std::optional<ArmedFault> armed;
std::atomic<int> met = 0;

template <class T, size_t size>
std::optional<T> Find(const std::array<Named<T>, size>& names, std::string_view name) {
  for (const Named<T>& known : names) {
    if (known.name == name) return known.value;
  }
  return std::nullopt;
}

[[noreturn]] void LoopForEver() {
  for (std::atomic<int> turns = 0;;) ++turns;
}

[[noreturn]] void EatMemory() {
  constexpr size_t kPiece = 64 << 20;
  for (std::vector<char*> pieces;;) {
    pieces.push_back(new char[kPiece]);
    std::memset(pieces.back(), 1, kPiece);
  }
}

Status Happen(Manner manner) {
  switch (manner) {
    case Manner::kFail:
      return Fail("injected fault");
    case Manner::kAbort:
      std::abort();
    case Manner::kSegmentation:
      signal(SIGSEGV, SIG_DFL);
      raise(SIGSEGV);
      break;
    case Manner::kLoop:
      LoopForEver();
    case Manner::kMemory:
      EatMemory();
    case Manner::kKill:
      kill(getpid(), SIGKILL);
      break;
  }
  return {};
}

}  // namespace

std::optional<ArmedFault> ParseFault(const std::string& text) {
  const std::string_view view = text;
  const size_t at = view.find('@');
  const size_t colon = view.find(':');
  const auto fault = Find(kFaultNames, view.substr(0, std::min(colon, at)));
  if (!fault) return std::nullopt;
  ArmedFault parsed{.fault = *fault};
  if (colon < at) {
    const auto manner = Find(kMannerNames, view.substr(colon + 1, at - colon - 1));
    if (!manner) return std::nullopt;
    parsed.manner = *manner;
  }
  if (at != std::string_view::npos) {
    const char* end = view.data() + view.size();
    const auto [rest, error] = std::from_chars(view.data() + at + 1, end, parsed.occurrence);
    if (error != std::errc() || rest != end || parsed.occurrence < 1) return std::nullopt;
  }
  if (parsed.manner == Manner::kFail && !CanFail(parsed.fault)) return std::nullopt;
  return parsed;
}

void ArmFault(const std::optional<ArmedFault>& fault) {
  armed = fault;
  met = 0;
}

bool IsFaultDue(Fault here) { return armed && armed->fault == here && ++met == armed->occurrence; }

Status FaultPoint(Fault here) { return IsFaultDue(here) ? Happen(armed->manner) : Status(); }

}  // namespace mcr
