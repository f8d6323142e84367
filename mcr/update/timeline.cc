#include "mcr/update/timeline.h"

#include <fmt/format.h>

namespace mcr::update {
namespace {

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

// steady_clock is CLOCK_MONOTONIC: what clients measured can be laid beside it.
Timeline::Timeline(const Options& options, Report& report) : options_(options), report_(report) {
  report_.began_ns = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(began_.time_since_epoch()).count());
}

void Timeline::Enter(Stage stage) {
  stage_ = stage;
  entered_ = Clock::now();
  options_.progress(stage, "");
}

void Timeline::Leave(const std::string& text) { Leave(text, entered_, Clock::now() - entered_); }

void Timeline::Leave(const std::string& text, Clock::time_point began, Clock::duration took) {
  const double milliseconds = Milliseconds(took);
  report_.stages.push_back({stage_, Milliseconds(began - began_), milliseconds, was_paused()});
  // Inside the pause nobody waits for a terminal: the caller collects the lines until it is over.
  options_.progress(stage_, fmt::format("{:>8.1f} ms  {}", milliseconds, text));
}

void Timeline::PauseBegins() {
  pause_began_ = Clock::now();
  report_.pause_began_ms = Milliseconds(*pause_began_ - began_);
}

void Timeline::PauseEnds() {
  if (!pause_began_ || report_.pause_ms > 0) return;
  report_.pause_ms = Milliseconds(Clock::now() - *pause_began_);
  for (ServerReport& server : report_.servers) {
    for (ProcessReport& process : server.processes) process.pause_ms = report_.pause_ms;
  }
}

}  // namespace mcr::update
