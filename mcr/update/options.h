// What the user asked for.
#ifndef MCR_UPDATE_OPTIONS_H_
#define MCR_UPDATE_OPTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "mcr/update/stage.h"

namespace mcr::checkpoint {
class UndoLog;
}

namespace mcr::update {

// How the state at the pause is kept until the update is committed.
enum class CheckpointMode {
  kCriu,  // dumped to a directory in memory
  kTwin,  // a copy-on-write copy of each process
  kBoth,
  kAuto,  // dumped, but a twin if that would take long or cannot be done
};

constexpr bool UsesCriu(CheckpointMode mode) {
  return mode == CheckpointMode::kCriu || mode == CheckpointMode::kBoth;
}
constexpr bool UsesTwin(CheckpointMode mode) {
  return mode == CheckpointMode::kTwin || mode == CheckpointMode::kBoth;
}

// One server to update.
struct Target {
  pid_t pid = 0;
  std::string to;       // the new program's file; "": whatever differs on disk
  std::string profile;  // a file; "": the shipped profile for the program, if there is one
  std::vector<std::string> require;  // expressions that must hold at the pause (state_filter.h)
};

struct Options {
  std::vector<Target> servers;  // all of them or none
  std::vector<std::string> debug_dirs;
  CheckpointMode checkpoint = CheckpointMode::kAuto;
  std::string criu;                         // the criu program; "": search
  std::string keep_checkpoint;              // a directory to be made; "": it goes with the update
  std::chrono::milliseconds timeout{1000};  // to reach the quiescent points
  std::chrono::seconds watch{0};            // how long the new version is on probation
  // Children of the main processes go on with the old version.
  bool main_only = false;
  bool strict = false;  // nothing is taken for a pointer to data by its looks (strict.h)
  checkpoint::UndoLog* undo_log = nullptr;  // of an update: what outlives it if it dies
  // Called when a stage begins, without a text, and with one when it ends.
  std::function<void(Stage, const std::string& text)> progress = [](Stage, const std::string&) {};
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_OPTIONS_H_
