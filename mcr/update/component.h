// One of the servers that are updated together, and how far the update has come with it. update.cc
// takes each step for all of them before the next one is taken for any.
#ifndef MCR_UPDATE_COMPONENT_H_
#define MCR_UPDATE_COMPONENT_H_

#include <sched.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/criu/kept_checkpoint.h"
#include "checkpoint/graft/executor.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/invariants.h"
#include "mcr/update/memory_watch.h"
#include "mcr/update/old_state.h"
#include "mcr/update/options.h"
#include "mcr/update/paused_merge.h"
#include "mcr/update/paused_server.h"
#include "mcr/update/probation.h"
#include "mcr/update/rehearse.h"
#include "mcr/update/report.h"
#include "mcr/update/requirements.h"
#include "mcr/update/validator.h"
#include "mutator/merge/merge.h"

namespace mcr::update {

// Destroying it undoes what was done to the server, up to Commit: every member owns its part of
// that.
class Component {
 public:
  // What it is given outlives it.
  Component(const Target& target, const Options& options, ServerReport& report);
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  ~Component() = default;

  // Nothing is done to the server.
  Status Inspect();
  Status Rehearse();

  // The server serves. `helpers`: the processors on which to work beside the caller.
  Status Prepare(const cpu_set_t& helpers);
  // From here on a signal stops its task until Quiesce handles it.
  Status Attach();

  // The pause.
  Status Quiesce();
  Status BeginCheckpoint();
  // On a thread of its own. What comes of it is for CheckPlan to say.
  void BeginMerge();
  Status TakeCheckpoint();
  Status CheckPlan();
  Status Graft();
  Status Validate();

  // What can fail of a commit, and what follows the point of no return.
  Status PrepareCommit();
  void Commit();
  // What was not committed is put back, as far as it has come. The server stays stopped.
  void Undo();
  bool is_paused() const { return paused_ && paused_->is_paused(); }
  void Resume();
  // After the pause, if that is asked for: the new version on probation.
  Status Watch();
  // The rest of the report.
  void Conclude();

  std::string name() const;  // for people: "PID 17 (server)"
  // After Inspect.
  const Inspection& server() const { return *server_; }
  std::string DescribeTree() const;
  // After CheckPlan.
  std::string DescribePointers() const;
  // After Validate: how many things were.
  size_t checked() const;
  size_t rehearsed_processes() const { return rehearsals_->processes(); }
  size_t threads() const { return paused_->threads().size(); }
  size_t grafted_processes() const { return merge_->plan().graft.processes.size(); }
  std::chrono::steady_clock::time_point merge_began() const { return merge_->began(); }
  std::chrono::steady_clock::time_point merge_ended() const { return merge_->ended(); }

 private:
  Status PrepareKeeping();
  Status CheckRequirements();
  void WatchMemory(const mutator::MergePlan& expected);
  Status RefuseProblems(const std::vector<std::string>& problems);
  Status RefuseProblems(const mutator::MergePlan& plan);
  void DescribePrograms();
  void DescribeProcesses();
  void DescribePlan();
  void DescribeMemory();

  const Target& target_;
  const Options& options_;
  ServerReport& report_;
  cpu_set_t helpers_ = {};

  // In the order in which they come to be; the later ones refer to the earlier.
  std::optional<Inspection> server_;
  std::optional<Requirements> requirements_;
  std::optional<Rehearsals> rehearsals_;
  std::optional<mutator::Merger> merger_;
  VersionPairs versions_;
  std::optional<Invariants> invariants_;
  std::optional<OldState> old_state_;  // until merge_ has it
  MemoryWatch watch_;
  std::unique_ptr<PausedServer> paused_;
  std::optional<checkpoint::KeptCheckpoint> kept_;
  std::unique_ptr<PausedMerge> merge_;
  std::unique_ptr<checkpoint::Graft> graft_;
  std::optional<Probation> probation_;
  bool committed_ = false;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_COMPONENT_H_
