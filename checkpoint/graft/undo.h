// Undoes a graft, or finishes it, by what the undo log says; the same whether the graft has failed
// or its process has died at any moment of it. All of it can be done again if it is interrupted.
//
// What can be found out by looking is not in the log act by act: descriptors and mappings that the
// process did not have when it was stopped are not its own.
#ifndef MCR_CHECKPOINT_GRAFT_UNDO_H_
#define MCR_CHECKPOINT_GRAFT_UNDO_H_

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/graft/undo_log.h"
#include "mcr/base/mapping.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

struct ProcessMark {
  uint64_t start_time;  // so that another process with its PID is not taken for it
};

struct ThreadMark {
  user_regs_struct registers;
  uint64_t mask;  // of signals
};

// What a stopped process is like before anything is done to it.
Status RecordProcess(UndoLog& log, const tracer::TracedProcess& process, const Mappings& mappings,
                     std::span<const int> descriptors);
// The threads as they have become: `kind` is kThread or kGraftedThread.
Status RecordThreads(UndoLog& log, UndoKind kind, const tracer::TracedProcess& process);
Status RecordMappings(UndoLog& log, pid_t pid, const Mappings& mappings);
// What finishing needs to know of one process.
Status RecordEnd(UndoLog& log, const ProcessGraft& graft);

// Puts everything back. Goes on after an error and returns the first one.
Status UndoGraft(tracer::TaskGroup& group, const UndoLog& log);

// Before that, where the writer may have died at any moment: lets calls of the server's allocator
// come to their end, since what is left of half a call would be its ruin.
Status EndAllocations(tracer::TaskGroup& group, const UndoLog& log);

// Signal masks that only we can have set, wherever the thread has come to since.
Status PutMasksBack(tracer::TaskGroup& group, const UndoLog& log);

// After the point of no return: does what is left to be done. What does not work is no reason not
// to let the server run.
void FinishGraft(tracer::TaskGroup& group, const UndoLog& log, std::vector<std::string>& warnings);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_UNDO_H_
