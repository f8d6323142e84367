#include "mutator/debuginfo/frame_flow.h"

#include <elf.h>

#include <algorithm>
#include <utility>

namespace mcr::mutator {
namespace {

using Kind = FlowValue::Kind;

constexpr int64_t kWord = 8;
// Where the C library keeps the stack guard of a thread, from %fs.
constexpr int64_t kGuardOffset = 0x28;
// What a called function may change: all but the callee-saved registers and rsp.
constexpr RegisterSet kClobbered = static_cast<RegisterSet>(~(kCalleeSaved | Bit(kRsp)));

constexpr FrameOffset GranuleOf(FrameOffset offset) { return offset & ~(kFlowGranule - 1); }

FlowValue Plus(FlowValue value, int64_t number) {
  if (value.kind != Kind::kNumber && value.kind != Kind::kFrame && value.kind != Kind::kProgram) {
    return {};
  }
  value.offset += number;
  return value;
}

FlowState EntryState() {
  FlowState state;
  for (int number = 0; number < kRegisterCount; ++number) {
    state.registers[static_cast<size_t>(number)] = {Kind::kEntry, number};
  }
  state.registers[kRsp] = {Kind::kFrame, -kWord};
  return state;
}

// True if `into` lost something that it knew.
bool Join(const FlowState& from, FlowState& into) {
  bool changed = false;
  for (size_t i = 0; i < from.registers.size(); ++i) {
    if (into.registers[i].kind == Kind::kUnknown || into.registers[i] == from.registers[i])
      continue;
    into.registers[i] = {};
    changed = true;
  }
  changed |= std::erase_if(into.slots, [&](const auto& slot) {
               const auto same = from.slots.find(slot.first);
               return same == from.slots.end() || same->second != slot.second;
             }) != 0;
  return changed;
}

}  // namespace

Result<FrameFlow> FrameFlow::Analyze(const Program& program, const Disassembler& disassembler,
                                     const EndingCalls& ending, const FunctionCode& code,
                                     std::vector<FrameObject> objects) {
  std::ranges::sort(objects);
  FrameFlow flow(program, std::move(objects));
  MCR_TRY(flow.AddNodes(disassembler, ending, code));
  MCR_TRY(flow.Connect(code));
  flow.ConnectLandingPads();
  // The first time shows which addresses are taken, and so which slots no pointer leads to.
  flow.Propagate();
  flow.Propagate();
  MCR_TRY(flow.CheckIndirectJumps());
  flow.FindLive();
  return flow;
}

Status FrameFlow::AddNodes(const Disassembler& disassembler, const EndingCalls& ending,
                           const FunctionCode& code) {
  for (const FunctionCode::Part& part : code.parts()) {
    for (const Instruction& each : part.instructions) {
      nodes_.push_back({.at = each.at,
                        .end = each.end(),
                        .effects = disassembler.EffectsOf(program_->Contents(each.at), each.at),
                        .next = {},
                        .before = std::nullopt,
                        .live = {}});
      Effects& effects = nodes_.back().effects;
      if (effects.flow == Flow::kCall && ending.NeverReturns(each)) effects.flow = Flow::kStop;
    }
  }
  std::ranges::sort(nodes_, {}, &Node::at);
  const auto entry = IndexOf(code.parts().front().function->range.begin());
  if (!entry) return Fail("has no code");
  entry_ = *entry;
  return {};
}

std::optional<size_t> FrameFlow::IndexOf(FileAddr at) const {
  // Padding before an instruction was left out.
  const auto found = std::ranges::lower_bound(nodes_, at, {}, &Node::at);
  if (found == nodes_.end()) return std::nullopt;
  if (found != nodes_.begin() && std::prev(found)->end > at) return std::nullopt;
  return static_cast<size_t>(found - nodes_.begin());
}

Status FrameFlow::Connect(const FunctionCode& code) {
  // Computed gotos keep addresses of labels in tables of their own.
  for (const Relocation& relocation : program_->relocations()) {
    const auto target = IndexOf(relocation.addend);
    const bool inside = target && *target != entry_ && code.Find(relocation.addend);
    if (inside && relocation.type == R_X86_64_RELATIVE) return Fail("it has computed jumps");
  }
  std::vector<size_t> table_targets;
  for (const FunctionCode::Part& part : code.parts()) {
    for (const Instruction& each : part.instructions) {
      if (each.reference != Reference::kAddress) continue;
      for (const FunctionCode::Position& target : code.ReadJumpTable(each.target)) {
        const Instruction& to = code.parts()[target.part].instructions[target.instruction];
        if (const auto index = IndexOf(to.at)) table_targets.push_back(*index);
      }
    }
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    const Flow flow = node.effects.flow;
    if (flow == Flow::kNext || flow == Flow::kBranch || flow == Flow::kCall) {
      if (i + 1 < nodes_.size()) node.next.push_back(i + 1);
    }
    if (flow == Flow::kReturn) returns_ = true;
    if (flow == Flow::kJump || flow == Flow::kBranch) {
      const auto target =
          code.Find(node.effects.target) ? IndexOf(node.effects.target) : std::nullopt;
      if (target) node.next.push_back(*target);
      if (!target) returns_ = true;  // another function returns for this one
    }
    if (flow == Flow::kIndirectJump) {
      if (table_targets.empty()) returns_ = true;
      node.next.insert(node.next.end(), table_targets.begin(), table_targets.end());
    }
  }
  return {};
}

// Code that nothing leads to is entered by unwinding: from any call.
void FrameFlow::ConnectLandingPads() {
  std::vector<bool> seen(nodes_.size());
  std::vector<size_t> queue = {entry_};
  std::vector<size_t> calls;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].effects.flow == Flow::kCall) calls.push_back(i);
  }
  for (size_t begin = 0;; ++begin) {
    while (!queue.empty()) {
      const size_t index = queue.back();
      queue.pop_back();
      if (seen[index]) continue;
      seen[index] = true;
      queue.insert(queue.end(), nodes_[index].next.begin(), nodes_[index].next.end());
    }
    while (begin < nodes_.size() && seen[begin]) ++begin;
    if (begin == nodes_.size()) return;
    for (const size_t call : calls) nodes_[call].next.push_back(begin);
    queue.push_back(begin);
  }
}

// With an empty frame it is the last call of the function. Anything else is a table: one that was
// not found leads who knows where.
Status FrameFlow::CheckIndirectJumps() const {
  const FlowValue empty{Kind::kFrame, -kWord};
  for (const Node& node : nodes_) {
    if (node.effects.flow != Flow::kIndirectJump || !node.next.empty() || !node.before) continue;
    if (node.before->registers[kRsp] == empty) continue;
    return Fail("it jumps to where its code does not tell", Hex(node.at));
  }
  return {};
}

void FrameFlow::Propagate() {
  for (Node& node : nodes_) node.before.reset();
  exposed_.clear();
  for (const FrameOffset begin : taken_) {
    if (const auto object = ObjectAt(begin)) exposed_.push_back(*object);
  }
  PropagateFrom(entry_, EntryState());
  // Never executed.
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].before) PropagateFrom(i, FlowState{});
  }
}

void FrameFlow::PropagateFrom(size_t start, const FlowState& state) {
  nodes_[start].before = state;
  std::vector<size_t> queue = {start};
  while (!queue.empty()) {
    const Node& node = nodes_[queue.back()];
    queue.pop_back();
    FlowState after = *node.before;
    Apply(node, after);
    for (const size_t next : node.next) {
      std::optional<FlowState>& before = nodes_[next].before;
      const bool is_new = !before;
      if (is_new) before = after;
      if (is_new || Join(after, *before)) queue.push_back(next);
    }
  }
}

// The object of debug information, or what is between two of them.
std::optional<FrameObject> FrameFlow::ObjectAt(FrameOffset offset) const {
  FrameOffset end = -kWord;
  for (const FrameObject& object : objects_) {
    if (object.begin <= offset && offset < object.end) return object;
    if (object.begin > offset) end = std::min(end, object.begin);
  }
  const auto saved = saved_.upper_bound(offset);
  if (saved != saved_.end()) end = std::min(end, *saved);
  return end > offset ? std::optional(FrameObject{offset, end}) : std::nullopt;
}

bool FrameFlow::IsExposed(FrameOffset begin, FrameOffset end) const {
  return std::ranges::any_of(exposed_, [&](const FrameObject& object) {
    return begin < object.end && object.begin < end;
  });
}

void FrameFlow::Take(const FlowValue& address) {
  if (address.kind == Kind::kFrame) taken_.insert(address.offset);
}

FlowValue FrameFlow::AddressOf(const MemoryAccess& memory, const FlowState& state) {
  if (memory.rip_relative) {
    return {Kind::kProgram, static_cast<int64_t>(memory.target.value())};
  }
  if (memory.other_base || memory.base == kNoRegister || memory.index != kNoRegister) return {};
  return Plus(state.registers[static_cast<size_t>(memory.base)], memory.displacement);
}

FlowValue FrameFlow::Load(const FlowValue& address, const FlowState& state) const {
  if (address.kind != Kind::kFrame) return {};
  const auto slot = state.slots.find(address.offset);
  return slot == state.slots.end() ? FlowValue{} : slot->second;
}

void FrameFlow::Store(const FlowValue& address, uint64_t size, const FlowValue& value,
                      FlowState& state) {
  // Through any other pointer only exposed objects can be reached, of which nothing is known.
  if (address.kind != Kind::kFrame) return;
  const int64_t extent = size == 0 ? 64 : static_cast<int64_t>(size);
  std::erase_if(state.slots, [&](const auto& slot) {
    return slot.first < address.offset + extent && address.offset < slot.first + kWord;
  });
  const bool saves =
      value.kind == Kind::kEntry && (kCalleeSaved & Bit(static_cast<int>(value.offset)));
  if (saves) saved_.insert(address.offset);
  const bool whole = size == kWord && value.kind != Kind::kUnknown;
  if (whole && !IsExposed(address.offset, address.offset + kWord)) {
    state.slots[address.offset] = value;
  }
}

FlowValue FrameFlow::SourceOf(const Node& node, const FlowState& state) const {
  const Effects& effects = node.effects;
  if (effects.memory && effects.memory->reads) {
    const MemoryAccess& memory = *effects.memory;
    if (memory.other_base && memory.base == kNoRegister && memory.displacement == kGuardOffset) {
      return {Kind::kGuard, 0};
    }
    return Load(AddressOf(*effects.memory, state), state);
  }
  if (effects.immediate) return {Kind::kNumber, *effects.immediate};
  if (effects.source != kNoRegister) return state.registers[static_cast<size_t>(effects.source)];
  return {};
}

void FrameFlow::Apply(const Node& node, FlowState& state) {
  const Effects& effects = node.effects;
  if (effects.flow == Flow::kCall) {
    return Clobber(state);
  }
  if (effects.operation != Operation::kOther) return ApplyOperation(node, state);
  if (effects.memory && effects.memory->index != kNoRegister &&
      effects.memory->base != kNoRegister) {
    // An element of an array in the frame.
    Take(Plus(state.registers[static_cast<size_t>(effects.memory->base)],
              effects.memory->displacement));
  }
  if (effects.memory && effects.memory->writes) {
    Store(AddressOf(*effects.memory, state), effects.memory->size, {}, state);
  }
  for (int number = 0; number < kRegisterCount; ++number) {
    if (effects.writes & Bit(number)) state.registers[static_cast<size_t>(number)] = {};
  }
}

void FrameFlow::Clobber(FlowState& state) {
  for (int number = 0; number < kRegisterCount; ++number) {
    if (kClobbered & Bit(number)) state.registers[static_cast<size_t>(number)] = {};
  }
}

void FrameFlow::ApplyOperation(const Node& node, FlowState& state) {
  const Effects& effects = node.effects;
  FlowValue& stack_pointer = state.registers[kRsp];
  const auto set = [&](int number, const FlowValue& value) {
    if (number != kNoRegister) state.registers[static_cast<size_t>(number)] = value;
  };
  switch (effects.operation) {
    case Operation::kPush: {
      const FlowValue value = SourceOf(node, state);
      stack_pointer = Plus(stack_pointer, -kWord);
      return Store(stack_pointer, kWord, value, state);
    }
    case Operation::kPop: {
      const FlowValue value = Load(stack_pointer, state);
      stack_pointer = Plus(stack_pointer, kWord);
      return set(effects.destination, value);
    }
    case Operation::kLeave:
      stack_pointer = Plus(state.registers[kRbp], kWord);
      return set(kRbp, Load(state.registers[kRbp], state));
    case Operation::kLoadAddress: {
      const MemoryAccess& memory = *effects.memory;
      const FlowValue address = AddressOf(memory, state);
      if (effects.destination != kRsp) {
        Take(address);
        if (memory.index != kNoRegister && memory.base != kNoRegister) {
          Take(Plus(state.registers[static_cast<size_t>(memory.base)], memory.displacement));
        }
      }
      return set(effects.destination, address);
    }
    case Operation::kAdd: {
      const FlowValue sum =
          effects.immediate && effects.source != kNoRegister
              ? Plus(state.registers[static_cast<size_t>(effects.source)], *effects.immediate)
              : FlowValue{};
      if (effects.destination != kRsp) Take(sum);
      return set(effects.destination, sum);
    }
    case Operation::kAnd: {
      // The frame's address is a multiple of 16; of what more, only the running program knows.
      FlowValue value = effects.source == kNoRegister
                            ? FlowValue{}
                            : state.registers[static_cast<size_t>(effects.source)];
      const bool known = value.kind == Kind::kFrame && effects.immediate >= -16;
      if (known) value.offset &= *effects.immediate;
      return set(effects.destination, known ? value : FlowValue{});
    }
    default: {
      const FlowValue value = SourceOf(node, state);
      if (effects.memory && effects.memory->writes) {
        return Store(AddressOf(*effects.memory, state), effects.memory->size, value, state);
      }
      // A frame pointer is no object's address.
      if (effects.source == kRsp && effects.destination != kRbp) Take(value);
      return set(effects.destination, value);
    }
  }
}

void FrameFlow::Read(FrameOffset begin, FrameOffset end, LiveState& live) {
  for (FrameOffset at = GranuleOf(begin); at < end; at += kFlowGranule) live.words.insert(at);
}

void FrameFlow::Overwrite(FrameOffset begin, FrameOffset end, LiveState& live) {
  for (FrameOffset at = GranuleOf(begin + kFlowGranule - 1); at + kFlowGranule <= end;
       at += kFlowGranule) {
    live.words.erase(at);
  }
}

void FrameFlow::StepBackMemory(const Node& node, LiveState& live) const {
  const Effects& effects = node.effects;
  const FlowState& state = *node.before;
  const FlowValue& stack_pointer = state.registers[kRsp];
  if (effects.operation == Operation::kPush && stack_pointer.kind == Kind::kFrame) {
    Overwrite(stack_pointer.offset - kWord, stack_pointer.offset, live);
  }
  if (effects.operation == Operation::kPop && stack_pointer.kind == Kind::kFrame) {
    Read(stack_pointer.offset, stack_pointer.offset + kWord, live);
  }
  const FlowValue& frame_pointer = state.registers[kRbp];
  if (effects.operation == Operation::kLeave && frame_pointer.kind == Kind::kFrame) {
    Read(frame_pointer.offset, frame_pointer.offset + kWord, live);
  }
  if (!effects.memory) return;
  const MemoryAccess& memory = *effects.memory;
  FlowValue address = AddressOf(memory, state);
  if (memory.index != kNoRegister && memory.base != kNoRegister) {
    address = Plus(state.registers[static_cast<size_t>(memory.base)], memory.displacement);
  }
  if (address.kind != Kind::kFrame) return;
  const bool is_address = effects.operation == Operation::kLoadAddress;
  if (is_address || memory.index != kNoRegister) {
    // Whoever has the address may read the object.
    if (effects.destination == kRsp) return;
    const auto object = ObjectAt(address.offset);
    if (object) Read(object->begin, object->end, live);
    return;
  }
  const int64_t size = memory.size == 0 ? kWord : static_cast<int64_t>(memory.size);
  if (memory.writes && !memory.reads && memory.size != 0) {
    Overwrite(address.offset, address.offset + size, live);
  }
  if (memory.reads) Read(address.offset, address.offset + size, live);
}

void FrameFlow::StepBack(const Node& node, LiveState& live) const {
  const Effects& effects = node.effects;
  switch (effects.flow) {
    case Flow::kCall:
      live.registers &= static_cast<RegisterSet>(~kClobbered);
      break;
    case Flow::kReturn:
      live.registers |= kCalleeSaved;
      break;
    case Flow::kIndirectJump:
      if (node.next.empty()) live.registers |= kCalleeSaved;
      break;
    case Flow::kJump:
    case Flow::kBranch:
      // To another function, which returns for this one.
      if (node.next.size() < (effects.flow == Flow::kJump ? 1u : 2u)) {
        live.registers |= kCalleeSaved;
      }
      break;
    default:
      break;
  }
  live.registers &= static_cast<RegisterSet>(~effects.writes);
  live.registers |= effects.reads;
  StepBackMemory(node, live);
}

LiveState FrameFlow::LiveAfter(const Node& node) const {
  LiveState live;
  for (const size_t next : node.next) {
    live.registers |= nodes_[next].live.registers;
    live.words.insert(nodes_[next].live.words.begin(), nodes_[next].live.words.end());
  }
  return live;
}

void FrameFlow::FindLive() {
  std::vector<std::vector<size_t>> previous(nodes_.size());
  std::vector<size_t> queue;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (const size_t next : nodes_[i].next) previous[next].push_back(i);
    queue.push_back(i);
  }
  while (!queue.empty()) {
    const size_t index = queue.back();
    queue.pop_back();
    Node& node = nodes_[index];
    LiveState live = LiveAfter(node);
    StepBack(node, live);
    const bool first = node.live == LiveState{};
    if (!first && live == node.live) continue;
    if (first && live == LiveState{}) continue;
    node.live = std::move(live);
    queue.insert(queue.end(), previous[index].begin(), previous[index].end());
  }
}

bool FrameFlow::Writes(const Node& node, const Place& place) const {
  const Effects& effects = node.effects;
  if (place.register_number != kNoRegister) {
    if (effects.flow == Flow::kCall && (kClobbered & Bit(place.register_number))) return true;
    return (effects.writes & Bit(place.register_number)) != 0;
  }
  if (!effects.memory || !effects.memory->writes) return false;
  const FlowValue address = AddressOf(*effects.memory, *node.before);
  return address.kind == Kind::kFrame && address.offset < place.slot + kWord &&
         place.slot <
             address.offset + static_cast<int64_t>(std::max<uint64_t>(effects.memory->size, 1));
}

bool FrameFlow::Ahead(FileAddr returns, const Place& place,
                      const std::function<Look(FileAddr)>& look) const {
  const Node* call = CallBefore(returns);
  if (call == nullptr) return false;
  std::vector<bool> seen(nodes_.size());
  std::vector<size_t> queue = call->next;
  while (!queue.empty()) {
    const size_t index = queue.back();
    queue.pop_back();
    if (seen[index]) continue;
    seen[index] = true;
    const Node& node = nodes_[index];
    const Look seen_here = look(node.at);
    if (seen_here == Look::kFound) return true;
    if (seen_here == Look::kStop || Writes(node, place)) continue;
    queue.insert(queue.end(), node.next.begin(), node.next.end());
  }
  return false;
}

const FrameFlow::Node* FrameFlow::CallBefore(FileAddr returns) const {
  const auto found = std::ranges::lower_bound(nodes_, returns, {}, &Node::at);
  if (found == nodes_.begin() || std::prev(found)->end != returns) return nullptr;
  const Flow flow = std::prev(found)->effects.flow;
  return flow == Flow::kCall || flow == Flow::kStop ? &*std::prev(found) : nullptr;
}

std::optional<FlowState> FrameFlow::DuringCall(FileAddr returns) const {
  const Node* call = CallBefore(returns);
  if (call == nullptr) return std::nullopt;
  FlowState state = *call->before;
  Clobber(state);
  return state;
}

std::optional<LiveState> FrameFlow::AfterCall(FileAddr returns) const {
  const Node* call = CallBefore(returns);
  if (call == nullptr) return std::nullopt;
  return LiveAfter(*call);
}

}  // namespace mcr::mutator
