// Matches the values of an old frame with the places that the new code reads.
#ifndef MCR_MUTATOR_MERGE_STACK_FRAME_MATCHER_H_
#define MCR_MUTATOR_MERGE_STACK_FRAME_MATCHER_H_

#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/frame_flow.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/merge/stack/frame_plan.h"

namespace mcr::mutator {

// One version's function, as far as its frames go.
struct FrameKnowledge {
  FunctionFrame frame;
  FrameFlow flow;
};

// The frame at a call: what is where while the called function is active.
struct FrameAtCall {
  // Fails if no call returns there.
  static Result<FrameAtCall> Create(const FrameKnowledge& function, FileAddr returns);

  const FrameKnowledge* function = nullptr;
  FileAddr returns;
  FlowState state;
  LiveState live;

  // A location that is valid for a frame further out: no register that calls clobber, no address
  // relative to a register that is known to hold an address in the frame.
  Location Settle(Location location) const;
  std::vector<Location> WhereIs(const FrameVariable& variable) const;
};

Result<FramePlan> MatchFrames(const std::string& name, const FrameAtCall& before,
                              const FrameAtCall& after);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_FRAME_MATCHER_H_
