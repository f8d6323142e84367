#include "checkpoint/timer_list.h"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace mcr::checkpoint {
namespace {

// The whole of `text` as a number.
template <class T>
std::optional<T> Number(std::string_view text, int base = 10) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// What stands before and behind the first `separator`.
std::optional<std::pair<std::string_view, std::string_view>> Split(std::string_view text,
                                                                   char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

// "10/0000555555558040"
bool ParseSignal(std::string_view text, Timer& timer) {
  const auto parts = Split(text, '/');
  if (!parts) return false;
  const auto signal = Number<int>(parts->first);
  const auto value = Number<uint64_t>(parts->second, 16);
  if (!signal || !value) return false;
  timer.signal = *signal;
  timer.value = *value;
  return true;
}

// "signal/pid.12", "signal/tid.13", "none/pid.12"
bool ParseNotify(std::string_view text, Timer& timer) {
  const auto parts = Split(text, '/');
  const auto whom = parts ? Split(parts->second, '.') : std::nullopt;
  const auto thread = whom ? Number<pid_t>(whom->second) : std::nullopt;
  if (!thread) return false;
  if (whom->first == "tid") {
    timer.notify = SIGEV_THREAD_ID;
    timer.thread = *thread;
  } else {
    timer.notify = parts->first == "none" ? SIGEV_NONE : SIGEV_SIGNAL;
  }
  return true;
}

bool ParseLine(std::string_view line, std::vector<Timer>& timers) {
  constexpr std::string_view kSeparator = ": ";
  const size_t at = line.find(kSeparator);
  if (at == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, at), text = line.substr(at + kSeparator.size());
  if (name == "ID") {
    const auto id = Number<int>(text);
    if (id) timers.push_back({.id = *id});
    return id.has_value();
  }
  if (timers.empty()) return false;
  if (name == "signal") return ParseSignal(text, timers.back());
  if (name == "notify") return ParseNotify(text, timers.back());
  if (name != "ClockID") return true;
  const auto clock = Number<int>(text);
  if (clock) timers.back().clock = *clock;
  return clock.has_value();
}

}  // namespace

Result<std::vector<Timer>> ParseTimers(std::string_view text) {
  std::vector<Timer> timers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!ParseLine(line, timers)) return Fail("cannot parse a timer", std::string(line));
  }
  std::ranges::sort(timers, {}, &Timer::id);
  return timers;
}

}  // namespace mcr::checkpoint
