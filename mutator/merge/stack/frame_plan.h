// How one frame of a changed function becomes a frame of the new function at the same call site:
// which values go where, worked out from both programs alone, before any process is looked at.
#ifndef MCR_MUTATOR_MERGE_STACK_FRAME_PLAN_H_
#define MCR_MUTATOR_MERGE_STACK_FRAME_PLAN_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/frame_flow.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Where each callee-saved register that the frame keeps for its caller is.
using SavedRegisters = std::array<std::optional<FrameOffset>, kRegisterCount>;

// A part of the new frame: a register, or bytes of it.
struct FrameTarget {
  int register_number = kNoRegister;
  FrameOffset at = 0;  // without a register
  uint64_t size = 8;   // bytes
};

// A variable that both versions have.
struct CarriedVariable {
  std::string name;
  uint64_t size = 0;           // bytes, in the old frame
  uint64_t new_size = 0;       // the same, unless it is reshaped
  std::vector<Location> from;  // in the old frame
  std::vector<Location> to;    // in the new frame: kNowhere, kRegister and kFrame only
  bool required = false;       // the new code reads it
  TypeId type = 0;             // as the old program's table has it; 0: nobody knows
  bool reshaped = false;       // the type changed
};

// A value that the code itself determines.
struct ComputedValue {
  FrameTarget to;
  FlowValue value;  // kNumber, kFrame, kProgram, kGuard
};

// A value of something new, which only a process of the new version can tell.
struct ModelledValue {
  FrameTarget to;
  std::string what;       // "variable `limit`", "the temporary at 0x28": for messages
  bool may_point = true;  // it may hold pointers: text cannot
};

// A variable's memory, for pointers into it.
struct MovedObject {
  std::string name;
  FrameOffset from = 0, to = 0;
  uint64_t size = 0;  // bytes, in the old frame
  TypeId type = 0;    // if it changed: in the old program's table
};

struct FramePlan {
  std::string function;
  FileAddr new_return;
  FrameOffset old_stack = 0, new_stack = 0;  // of rsp, as long as the call lasts
  SavedRegisters old_saved, new_saved;
  RegisterSet new_own = 0;  // callee-saved registers that hold a value of the new frame's own
  std::vector<CarriedVariable> carried;
  std::vector<ComputedValue> computed;
  std::vector<ModelledValue> modelled;
  std::vector<MovedObject> moved;
  // Parts of the old frame that pointers may lead to and that have no counterpart: variables that
  // the new version does not keep in memory, objects without a name.
  std::vector<FrameObject> gone;
  // The function is only left by ending the thread, in both versions: no frame further out is gone
  // back to.
  bool never_returns = false;
  // Why the new code could not go on in this frame; no matter if nothing returns to it.
  std::vector<std::string> problems;
};

// One line per value, for people.
std::string Describe(const FramePlan& plan);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_FRAME_PLAN_H_
