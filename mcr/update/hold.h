// A server that is stopped, held: before one of its tasks executes anything for us. Should we die
// in that, no task must go on from there: a held one stays stopped until it is as it was before.
#ifndef MCR_UPDATE_HOLD_H_
#define MCR_UPDATE_HOLD_H_

#include <sched.h>
#include <sys/types.h>

#include <map>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::update {

using Descriptors = std::map<pid_t, std::vector<int>>;  // by process

// Takes down in the log what the processes are, and holds them. All tasks are stopped. Returns the
// descriptors that the processes have. `helpers`: processors to list them on.
Result<Descriptors> RecordAndHold(tracer::TaskGroup& tasks, checkpoint::UndoLog& log,
                                  const cpu_set_t& helpers);

// The tasks are stopped as before, and what the log says of them is of the past.
Status LetGo(tracer::TaskGroup& tasks, checkpoint::UndoLog& log);

}  // namespace mcr::update

#endif  // MCR_UPDATE_HOLD_H_
