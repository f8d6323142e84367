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
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/stack/frame_plan.h"

namespace mcr::mutator {

// One version's function, as far as its frames go.
struct FrameKnowledge {
  FunctionFrame frame;
  FrameFlow flow;
  std::vector<TypeId> types = {};  // of frame.variables, in the program's table; 0: not there

  TypeId TypeOf(const FrameVariable& variable) const {
    const auto index = static_cast<size_t>(&variable - frame.variables.data());
    return index < types.size() ? types[index] : 0;
  }
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
  // Whether it may read the word there.
  bool MayRead(FrameOffset at) const;
  // Whether the code may read the variable, which is in these places, after the call: by itself or
  // through its address.
  bool Reads(const FrameVariable& variable, const std::vector<Location>& places) const;
};

// Whether each piece of a variable is somewhere.
bool IsKnown(const std::vector<Location>& pieces);

// `is_start_frame`: what nothing describes is as the new version's start left it, says an
// annotation.
Result<FramePlan> MatchFrames(const std::string& name, const FrameAtCall& before,
                              const FrameAtCall& after, bool is_start_frame = false);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_FRAME_MATCHER_H_
