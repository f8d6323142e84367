// The stages of an update, in order. Each says what enters it, what holds at its end, and how it is
// undone. mcr/docs/life_of_an_update.md tells the same story at length.
#ifndef MCR_UPDATE_STAGE_H_
#define MCR_UPDATE_STAGE_H_

#include <string_view>

namespace mcr::update {

enum class Stage {
  // Entered with the command line's options. At its end: the process tree is known and can be
  // traced, both programs'
  // debug information is read, and nothing in it forbids the update. Nothing was done to the
  // server.
  kInspect,

  // At its end: the new program has started in a sandbox as the server was started, reached its
  // quiescent points,
  // and is frozen there. The server serves. Undone by destroying the sandbox.
  kRehearse,

  // Attaches to the server and learns its call sites (the server serves), then begins the pause. At
  // its end: every
  // thread is stopped at a quiescent point, with registers that it could go on with at any time.
  // Undone by detaching.
  kQuiesce,

  // At its end: a checkpoint of the tree is in a private directory; the tasks never ran meanwhile
  // (a frozen cgroup
  // held them while CRIU traced them). Undone by thawing, and by wiping the directory.
  kCheckpoint,

  // At its end: a plan without a problem. The images were read, nothing was written.
  kMerge,

  // At its end: the plan is applied to the stopped processes, its inverse is in the undo log.
  // Undone by that.
  kGraft,

  // At its end: nothing in any process points into the old program any more, and the state of the
  // old version can be read off the new one (validator.h names the checks). Nothing was written.
  kValidate,

  // At its end: the old program is unmapped, the server runs the new one. A record in the undo log,
  // right before the first unmapping, is the point of no return: up to it, every failure ends with
  // the old version serving on its open connections; after it, with the new one.
  kCommit,

  // Only with --watch. At its end: nothing has threatened to end a process of the new version for
  // as long as that. Else the old version is brought back from the checkpoint.
  kProbation,
};

constexpr std::string_view Name(Stage stage) {
  switch (stage) {
    case Stage::kInspect:
      return "inspect";
    case Stage::kRehearse:
      return "rehearse";
    case Stage::kQuiesce:
      return "quiesce";
    case Stage::kCheckpoint:
      return "checkpoint";
    case Stage::kMerge:
      return "merge";
    case Stage::kGraft:
      return "graft";
    case Stage::kValidate:
      return "validate";
    case Stage::kCommit:
      return "commit";
    case Stage::kProbation:
      return "probation";
  }
  return "";
}

}  // namespace mcr::update

#endif  // MCR_UPDATE_STAGE_H_
