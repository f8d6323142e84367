// Plans of frames, made once per call site.
#ifndef MCR_MUTATOR_MERGE_STACK_FRAME_PLANNER_H_
#define MCR_MUTATOR_MERGE_STACK_FRAME_PLANNER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/debuginfo/program.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/stack/frame_plan.h"

namespace mcr::mutator {

// A variable of an active function that it may still read.
struct LiveLocal {
  std::string name;
  TypeId type = 0;    // in the old program's table
  uint64_t size = 0;  // bytes
  std::vector<Location> places;
};

class FramePlanner {
 public:
  // Debug information is looked for as Program::Load does. `start_frames`: functions that an
  // annotation names (profile.proto).
  static Result<std::unique_ptr<FramePlanner>> Create(std::shared_ptr<const Program> before,
                                                      std::shared_ptr<const Program> after,
                                                      const DebugSearch& search,
                                                      std::set<std::string> start_frames = {});
  virtual ~FramePlanner() = default;

  // For the frame that a call returns to at `old_return`. Fails if the function is not in the new
  // version, if the call has no counterpart, or if the code cannot be followed. Remembers its
  // answers.
  virtual const Result<FramePlan>& Plan(FileAddr old_return) = 0;

  // Of those that were made: one whose frame goes on there in the new version; nullptr: none does.
  virtual const FramePlan* PlanGoingOnAt(FileAddr new_return) const = 0;

  // Of the old function whose frame a call returns to at `old_return`: those whose type and place
  // are known. Remembers its answers.
  virtual const std::vector<LiveLocal>& LocalsAt(FileAddr old_return) = 0;

  // Of the new function whose frame a call returns to at `new_return`: whether it may still read
  // the word that is so far from its canonical frame address, and not as characters. True if
  // nothing says that it does not.
  virtual bool MayReadPointer(FileAddr new_return, FrameOffset at) = 0;

  // All calls of the function: for functions on the stacks, before anybody waits.
  virtual void PlanFunction(const Function& old_function) = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_FRAME_PLANNER_H_
