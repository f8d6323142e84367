#include "checkpoint/kernel_pointer.h"

#include <charconv>
#include <optional>
#include <string>

namespace mcr::checkpoint {
namespace {

// The whole of `text` as a number.
template <class T>
std::optional<T> Number(std::string_view text, int base) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

KernelPointer TimerValue(int timer, uint64_t value) {
  return {.holder = "the value of timer " + std::to_string(timer), .value = value};
}

KernelPointer SignalStack(uint64_t begin) {
  return {.holder = "the stack of signal handlers", .value = begin};
}

Result<std::vector<KernelPointer>> ParseTimers(std::string_view text) {
  constexpr std::string_view kId = "ID: ", kSignal = "signal: ";
  std::vector<KernelPointer> pointers;
  std::optional<int> timer;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with(kId)) timer = Number<int>(line.substr(kId.size()), 10);
    if (!line.starts_with(kSignal)) continue;
    const size_t slash = std::min(line.find('/'), line.size() - 1);
    const auto value = Number<uint64_t>(line.substr(slash + 1), 16);
    if (!timer || !value) return Fail("cannot parse a timer", std::string(line));
    pointers.push_back(TimerValue(*timer, *value));
  }
  return pointers;
}

}  // namespace mcr::checkpoint
