#include "checkpoint/graft/undo_log.h"

#include <utility>

namespace mcr::checkpoint {

UndoLog::~UndoLog() { (void)Rewind(); }

void UndoLog::Arm(Act undo) { acts_.push_back(std::move(undo)); }

Status UndoLog::Rewind() {
  Status first;
  while (!acts_.empty()) {
    const Act act = std::move(acts_.back());
    acts_.pop_back();
    if (Status undone = act(); !undone.has_value() && first.has_value()) first = std::move(undone);
  }
  return first;
}

void UndoLog::Disarm() { acts_.clear(); }

}  // namespace mcr::checkpoint
