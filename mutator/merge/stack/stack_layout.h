// Where the frames of a thread's stack come to lie when some of them change size: the outermost
// stay, and everything further in shifts.
#ifndef MCR_MUTATOR_MERGE_STACK_STACK_LAYOUT_H_
#define MCR_MUTATOR_MERGE_STACK_STACK_LAYOUT_H_

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/stack/frame_plan.h"

namespace mcr::mutator {

// One frame, as it is and as it will be. Kept as it is, or rebuilt by a plan.
struct FramePlace {
  checkpoint::StackFrame before;
  Addr old_end, new_end;  // the canonical frame address: one past the return address
  Addr new_begin;         // rsp
  const ChangedModule* module = nullptr;  // of a rebuilt frame
  const FramePlan* plan = nullptr;        // of a rebuilt frame
  bool required = true;                   // control may come back to it

  Addr old_begin() const { return before.stack_pointer; }
};

class StackLayout {
 public:
  // nullopt if no active function of the thread changed, or if nobody unwound it. Fails, naming the
  // function, if the frame of one that did cannot be rebuilt.
  static Result<std::optional<StackLayout>> Create(const checkpoint::ThreadImage& thread,
                                                   const ChangedModules& modules);

  pid_t tid() const { return thread_->tid; }
  const checkpoint::ThreadImage& thread() const { return *thread_; }
  // Innermost first, up to the outermost that is rebuilt.
  const std::vector<FramePlace>& frames() const { return frames_; }
  // The frame that the outermost of frames() returns to.
  const checkpoint::StackFrame& outer() const { return outer_; }
  // From the red zone to the end of the outermost frame that is rebuilt.
  Range<Addr> old_range() const;
  // Old and new place of it all.
  Range<Addr> written() const;
  // Nothing that a pointer may lead to moves.
  bool in_place() const;

  // Where an object is that was at `target` in old_range().
  struct Target {
    enum class Kind { kMoved, kStale /* nothing of its own was there */, kGone };
    Kind kind = Kind::kStale;
    Addr to;
    std::string where;  // kGone: "the frame of `serve`"
  };
  // `pointee`: its type in the old program; 0: nobody knows.
  Target Follow(Addr target, TypeId pointee) const;

 private:
  explicit StackLayout(const checkpoint::ThreadImage& thread) : thread_(&thread) {}

  Status FindRebuilt(const ChangedModules& modules);
  Status Place();
  Status CheckFrame(size_t index) const;
  static Target FollowInto(const FramePlace& frame, Addr target, TypeId pointee);

  const checkpoint::ThreadImage* thread_;
  std::vector<FramePlace> frames_;
  checkpoint::StackFrame outer_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_STACK_LAYOUT_H_
