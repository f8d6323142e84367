// Applies a GraftPlan to the stopped processes of a server, takes it back, or makes it final.
//
// Memory from the processes' own allocators comes first, because what is written depends on where
// it is. The order of Apply from there: process by process what the process itself must do
// (mappings, signal handlers and their stacks, epoll entries, timers) and registers; then its
// memory, while the next one takes its steps. What takes an act back is in the undo log before the
// act. Undoing goes by the log alone (undo.h), so that anybody can do it.
#ifndef MCR_CHECKPOINT_GRAFT_EXECUTOR_H_
#define MCR_CHECKPOINT_GRAFT_EXECUTOR_H_

#include <sched.h>
#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/final_step.h"
#include "checkpoint/graft/memory_patch.h"
#include "checkpoint/graft/plan.h"
#include "checkpoint/graft/undo_log.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

// What can be read and laid out without touching a task: while something else holds them stopped.
struct GraftPreparation {
  std::vector<OwnedFd> new_files;    // in the plan's order
  std::vector<MemoryPatch> patches;  // by process, in the plan's order

  Status OpenFiles(const GraftPlan& plan);
  // Of the plan's next process, whose memory must not change until Graft::Apply.
  Status AddPatch(const ProcessGraft& graft);
};

class Graft {
 public:
  // About how many bytes of the undo log it takes to apply such a plan.
  static size_t UndoSize(const GraftPlan& plan);

  // Every task of the group is stopped, and stays so until Commit or Undo; each process is in the
  // log as it is (RecordProcess). The group, the plan and the log outlive the Graft. On failure
  // everything is as before; an error of that undo is appended to the error. `preparation`: of all
  // of the plan. `helpers`: processors that may be used beside the caller's.
  static Result<std::unique_ptr<Graft>> Apply(tracer::TaskGroup& group, const GraftPlan& plan,
                                              GraftPreparation preparation, UndoLog& log,
                                              const cpu_set_t& helpers = {});

  Graft(const Graft&) = delete;
  Graft& operator=(const Graft&) = delete;
  ~Graft();  // undoes unless committed

  // What was applied: the plan, with the addresses of its allocations.
  const GraftPlan& applied() const { return *plan_; }

  // Of a commit what can fail, in every process. Undo is still possible, whether it fails or not.
  // The point of no return is the caller's record in the log (UndoKind::kCommitted), after it.
  Status PrepareCommit();
  // Unmaps the old ranges and sets the memory layout and executable. Failures are warnings.
  void Commit();
  const std::vector<std::string>& warnings() const { return warnings_; }

  Status Undo();

 private:
  Graft(tracer::TaskGroup& group, const GraftPlan& plan, std::vector<OwnedFd> new_files,
        UndoLog& log)
      : group_(group), plan_(&plan), new_files_(std::move(new_files)), log_(log) {}

  // Memory that the plan asks for, in every process; then plan_ is resolved_.
  Status Allocate(std::vector<MemoryPatch>& patches);
  Status AllocateIn(ProcessGraft& graft, MemoryPatch& patch);
  Status ApplyAll(std::vector<MemoryPatch>& patches, const cpu_set_t& helpers);
  Status RecordEnds();
  void Release(const ProcessGraft& graft);
  Status MakeCalls(tracer::TracedProcess& process, const ProcessGraft& graft);
  Status SetSignalStacks(tracer::TracedProcess& process, const ProcessGraft& graft);
  Status SetTimers(tracer::TracedProcess& process, const ProcessGraft& graft);
  Status SetRegisters(tracer::TracedProcess& process, const ProcessGraft& graft);

  tracer::TaskGroup& group_;
  const GraftPlan* plan_;
  GraftPlan resolved_;  // plan_, once the addresses of its allocations are known
  std::vector<OwnedFd> new_files_;
  // The new files' descriptors in each process, until commit or undo; -1: not there.
  std::map<pid_t, std::vector<int>> placed_;
  std::vector<std::string> warnings_;
  UndoLog& log_;
  bool done_ = false;  // committed or undone
  std::vector<std::unique_ptr<FinalStep>>
      final_steps_;  // prepared; ended before the graft is undone
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_EXECUTOR_H_
