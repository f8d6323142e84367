// What the user asked for.
#ifndef MCR_UPDATE_OPTIONS_H_
#define MCR_UPDATE_OPTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/fault.h"
#include "mcr/update/stage.h"

namespace mcr::update {

// How the state at the pause is kept until the update is committed.
enum class CheckpointMode {
  kCriu,  // dumped to a directory in memory
  kTwin,  // a copy-on-write copy of each process
  kAuto,  // a twin for servers with so much memory that a dump would take long
};

struct Options {
  pid_t pid = 0;
  std::string to;       // the new program's file; "": whatever differs on disk
  std::string profile;  // a file; "": the shipped profile for the program, if there is one
  std::vector<std::string> debug_dirs;
  std::vector<std::string> require;  // expressions that must hold at the pause (state_filter.h)
  bool strict = false;               // nothing is taken for a pointer by its looks (strict.h)
  CheckpointMode checkpoint = CheckpointMode::kCriu;
  std::string keep_checkpoint;              // a directory to be made; "": it goes with the update
  std::string criu;                         // the criu program; "": search
  std::chrono::milliseconds timeout{1000};  // to reach the quiescent points
  std::optional<Fault> fault;
  // Called when a stage begins, without a text, and with one when it ends.
  std::function<void(Stage, const std::string& text)> progress = [](Stage, const std::string&) {};
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_OPTIONS_H_
