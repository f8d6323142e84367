// Which stage an update is in, since when, and whether the server is paused.
#ifndef MCR_UPDATE_TIMELINE_H_
#define MCR_UPDATE_TIMELINE_H_

#include <chrono>
#include <optional>
#include <string>

#include "mcr/update/options.h"
#include "mcr/update/report.h"

namespace mcr::update {

class Timeline {
 public:
  Timeline(const Options& options, Report& report);

  void Enter(Stage stage);
  // Ends the stage; `text` is what the progress line says of it.
  void Leave(const std::string& text);
  // The same for one that was under way during another stage.
  void Leave(const std::string& text, std::chrono::steady_clock::time_point began,
             std::chrono::steady_clock::duration took);

  void PauseBegins();
  void PauseEnds();  // the first time counts
  bool was_paused() const { return pause_began_.has_value(); }
  Stage stage() const { return stage_; }

 private:
  using Clock = std::chrono::steady_clock;

  const Options& options_;
  Report& report_;
  Stage stage_ = Stage::kInspect;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point entered_;
  std::optional<Clock::time_point> pause_began_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_TIMELINE_H_
