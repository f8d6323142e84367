#include "mcr/update/timeline.h"

#include <fmt/format.h>

namespace mcr::update {
namespace {

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

void Timeline::Enter(Stage stage) {
  stage_ = stage;
  entered_ = Clock::now();
}

void Timeline::Leave(const std::string& text) { Leave(text, Clock::now() - entered_); }

void Timeline::Leave(const std::string& text, Clock::duration duration) {
  const double milliseconds = Milliseconds(duration);
  report_.stages.push_back({stage_, milliseconds, was_paused()});
  // Inside the pause nobody waits for a terminal: the caller collects the lines until it is over.
  options_.progress(stage_, fmt::format("{:>8.1f} ms  {}", milliseconds, text));
}

void Timeline::PauseBegins() { pause_began_ = Clock::now(); }

void Timeline::PauseEnds() {
  if (!pause_began_) return;
  report_.pause_ms = Milliseconds(Clock::now() - *pause_began_);
  for (ProcessReport& process : report_.processes) process.pause_ms = report_.pause_ms;
}

}  // namespace mcr::update
