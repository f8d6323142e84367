// Searches the memory of large processes before the pause, and watches what they write to from then
// on: the pause follows what changes, not what the server holds.
#ifndef MCR_UPDATE_MEMORY_WATCH_H_
#define MCR_UPDATE_MEMORY_WATCH_H_

#include <sys/types.h>

#include <memory>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mutator/graph/scan_memo.h"
#include "mutator/merge/merge_plan.h"
#include "tracer/write_watch.h"

namespace mcr::update {

class MemoryWatch {
 public:
  // Stops the tasks for a moment, in which the large processes open their watches. `expected`: what
  // a merge of the running server has found, above all which memory is going to be left. Nothing is
  // watched if a checkpoint by CRIU is wanted, which knows no such watches. Fails where the kernel
  // offers none; the search is then made in the pause.
  static Result<MemoryWatch> Begin(const Inspection& server, const mutator::MergePlan& expected,
                                   checkpoint::UndoLog& log);

  // nullptr: all memory of the process has to be searched.
  const mutator::ScanMemo* MemoFor(pid_t pid) const;

 private:
  struct Process {
    pid_t pid = 0;
    std::unique_ptr<tracer::WriteWatch> watch;
    std::unique_ptr<mutator::ScanMemo> memo;
  };

  std::vector<Process> processes_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_MEMORY_WATCH_H_
