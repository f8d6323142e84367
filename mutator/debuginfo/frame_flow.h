// Where the values in a function's frame come from and which of them it still needs: what debug
// information does not say about spilled temporaries and saved registers.
//
// Two passes of data-flow analysis over the machine code: constants forward (an address in the
// frame, an address in the program, a number, or what a register held on entry), liveness backward.
// Everything is sound as long as the code keeps to the System V ABI and reaches an object of the
// frame only through addresses that were taken of it.
#ifndef MCR_MUTATOR_DEBUGINFO_FRAME_FLOW_H_
#define MCR_MUTATOR_DEBUGINFO_FRAME_FLOW_H_

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/ending_calls.h"
#include "mutator/debuginfo/function_code.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// Bytes from the canonical frame address (DWARF 5, 6.4): what rsp was before the call. Negative
// inside the frame; the return address is at -8.
using FrameOffset = int64_t;

// A part of the frame that pointers may lead into, e.g. an array; [begin, end).
struct FrameObject {
  FrameOffset begin = 0, end = 0;
  auto operator<=>(const FrameObject&) const = default;
};

struct FlowValue {
  enum class Kind : uint8_t {
    kUnknown,
    kNumber,
    kFrame,    // the frame's address plus `offset`
    kProgram,  // the address `offset` of the program
    kEntry,    // what register `offset` held on entry
    kGuard,    // the C library's stack guard, %fs:0x28
  };
  Kind kind = Kind::kUnknown;
  int64_t offset = 0;
  auto operator<=>(const FlowValue&) const = default;
};

// What holds at one instruction, before it is executed.
struct FlowState {
  std::array<FlowValue, kRegisterCount> registers;
  std::map<FrameOffset, FlowValue> slots;  // of 8 bytes; those that are known
};

// Of memory, liveness is known by this many bytes: the smallest variable that compilers spill.
inline constexpr int64_t kFlowGranule = 4;

// What is read before it is written.
struct LiveState {
  RegisterSet registers = 0;
  std::set<FrameOffset> words;  // of kFlowGranule bytes, aligned
  bool operator==(const LiveState&) const = default;
};

class FrameFlow {
 public:
  // `objects`: the variables that debug information places in the frame, whatever their scope.
  // Fails for code that it cannot follow.
  static Result<FrameFlow> Analyze(const Program& program, const Disassembler& disassembler,
                                   const EndingCalls& ending, const FunctionCode& code,
                                   std::vector<FrameObject> objects);

  // What holds as long as the call lasts that returns to `returns`, and what is needed after it.
  // nullopt: no call does.
  std::optional<FlowState> DuringCall(FileAddr returns) const;
  std::optional<LiveState> AfterCall(FileAddr returns) const;

  // Whether control can leave the function otherwise than by ending the thread.
  bool returns() const { return returns_; }
  // Addresses in the frame that the code computes.
  const std::set<FrameOffset>& taken() const { return taken_; }
  // The objects that are there.
  const std::vector<FrameObject>& exposed() const { return exposed_; }

  // Looks at the instructions that can be reached after that call without a write to a register (or
  // to the 8 bytes at `slot`): true if `look` finds at one of them what it looks for.
  struct Place {
    int register_number = kNoRegister;
    FrameOffset slot = 0;  // if there is no register
  };
  enum class Look { kFound, kOn, kStop };
  bool Ahead(FileAddr returns, const Place& place, const std::function<Look(FileAddr)>& look) const;

 private:
  struct Node {
    FileAddr at;
    FileAddr end;
    Effects effects;
    std::vector<size_t> next;
    std::optional<FlowState> before;
    LiveState live;
  };

  FrameFlow(const Program& program, std::vector<FrameObject> objects)
      : program_(&program), objects_(std::move(objects)) {}

  Status AddNodes(const Disassembler& disassembler, const EndingCalls& ending,
                  const FunctionCode& code);
  Status Connect(const FunctionCode& code);
  void ConnectLandingPads();
  Status CheckIndirectJumps() const;
  void Propagate();
  void PropagateFrom(size_t start, const FlowState& state);
  void FindLive();

  void Apply(const Node& node, FlowState& state);
  static void Clobber(FlowState& state);
  void ApplyOperation(const Node& node, FlowState& state);
  void Store(const FlowValue& address, uint64_t size, const FlowValue& value, FlowState& state);
  void Take(const FlowValue& address);
  FlowValue Load(const FlowValue& address, const FlowState& state) const;
  static FlowValue AddressOf(const MemoryAccess& memory, const FlowState& state);
  FlowValue SourceOf(const Node& node, const FlowState& state) const;
  std::optional<FrameObject> ObjectAt(FrameOffset offset) const;
  bool IsExposed(FrameOffset begin, FrameOffset end) const;
  static void Read(FrameOffset begin, FrameOffset end, LiveState& live);
  static void Overwrite(FrameOffset begin, FrameOffset end, LiveState& live);
  void StepBack(const Node& node, LiveState& live) const;
  void StepBackMemory(const Node& node, LiveState& live) const;
  bool Writes(const Node& node, const Place& place) const;
  std::optional<size_t> IndexOf(FileAddr at) const;
  const Node* CallBefore(FileAddr returns) const;
  LiveState LiveAfter(const Node& node) const;

  const Program* program_;
  std::vector<FrameObject> objects_;  // by begin
  std::vector<Node> nodes_;           // by address
  std::set<FrameOffset> taken_;
  std::set<FrameOffset> saved_;  // where callee-saved registers are kept
  std::vector<FrameObject> exposed_;
  size_t entry_ = 0;
  bool returns_ = false;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_FRAME_FLOW_H_
