// What takes a half-done graft back.
//
// The inverse of an act is armed before the act, so that whatever happens in it is undone; the log
// is replayed backwards. It is disarmed in one place: commit.
#ifndef MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_
#define MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_

#include <functional>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::checkpoint {

class UndoLog {
 public:
  using Act = std::function<Status()>;

  UndoLog() = default;
  UndoLog(const UndoLog&) = delete;
  UndoLog& operator=(const UndoLog&) = delete;
  ~UndoLog();  // Rewind(), errors ignored

  // `undo` must be right also when the act was never begun or came halfway.
  void Arm(Act undo);

  // Undoes everything, the last first, and forgets it. Goes on after an error and returns the first
  // one.
  Status Rewind();

  void Disarm();

 private:
  std::vector<Act> acts_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_
