// What is done with an undo log whose writer is dead.
#ifndef MCR_CHECKPOINT_GUARDIAN_RECOVERY_H_
#define MCR_CHECKPOINT_GUARDIAN_RECOVERY_H_

#include <chrono>
#include <string>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "checkpoint/guardian/undo_directory.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

enum class Recovered {
  kUntouched,  // nothing had been done to the server
  kOld,        // it runs the old version again
  kNew,        // it runs the new version
};

// The processes run afterwards, unless this fails. Whoever still traces them (CRIU) is waited for.
Result<Recovered> Recover(UndoLog& log, std::vector<std::string>& warnings);

// A worker that is dying needs a processor for that, and those of its threads that were in the
// background (tracer/sys/background.h) get none on a busy host, for minutes: the others wait for
// the last of them with what it takes to free the memory, and so does the server.
void HurryWorker(const UndoLog& log);

Result<UndoLog> OpenLog(const UndoDirectory& directory, const std::string& name);

// The lock of a log whose writers are dead, or dying: the kernel takes it from them last, when it
// has taken down their memory. Invalid: they are not by the deadline, or the log is gone.
OwnedFd AwaitLock(const UndoDirectory& directory, const std::string& name,
                  std::chrono::steady_clock::time_point deadline);

// All logs that were left behind: recovered and removed. One line for each. `patience`: with
// somebody who holds a log's lock, and may be dying; who is still there then gets a line, if there
// was any.
std::vector<std::string> RecoverLeftBehind(const UndoDirectory& directory,
                                           std::chrono::milliseconds patience);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GUARDIAN_RECOVERY_H_
