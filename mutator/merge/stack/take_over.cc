#include "mutator/merge/stack/take_over.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mutator/graph/memory_scan.h"
#include "mutator/graph/red_zone.h"
#include "mutator/merge/stack/frame_planner.h"
#include "mutator/merge/stack/frame_values.h"
#include "mutator/merge/stack/model_frame.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kGuardOffset = 0x28;  // of the stack guard, from the thread's fs base

Addr Plus(Addr address, FrameOffset offset) { return address + static_cast<uint64_t>(offset); }

uint64_t WordAt(std::span<const std::byte> bytes, uint64_t at) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, std::min<uint64_t>(kWord, bytes.size() - at));
  return word;
}

// Of a variable that is one word.
std::optional<FrameTarget> WordPlace(const CarriedVariable& variable) {
  if (variable.to.size() != 1 || variable.new_size != kWord) return std::nullopt;
  const Location& place = variable.to.front();
  return FrameTarget{place.register_number, place.offset, kWord};
}

}  // namespace

StackTakeOver::StackTakeOver(Context context) : context_(context) {
  for (const checkpoint::ThreadImage& thread : context_.live.threads()) {
    auto layout = StackLayout::Create(thread, context_.modules);
    if (!layout) {
      refused_.insert(thread.tid);
      Problem(thread.tid, layout.error().Line());
    } else if (*layout) {
      stacks_.push_back({std::move(**layout), {}, {}, {}});
    }
  }
  const auto was_unwound = [](const auto& thread) { return !thread.frames.empty(); };
  if (std::ranges::none_of(context_.live.threads(), was_unwound)) Foresee();
}

// Nobody unwound the server, because it runs. Its stacks will be like those of the new version, so
// the plans for those are made now and not in the pause.
void StackTakeOver::Foresee() {
  for (const checkpoint::ThreadImage& thread : context_.next.threads()) {
    for (const checkpoint::StackFrame& frame : thread.frames) {
      for (const ChangedModule& module : context_.modules.all()) {
        if (module.next.range.Contains(frame.instruction)) Foresee(module, frame.instruction);
      }
    }
  }
}

void StackTakeOver::Foresee(const ChangedModule& module, Addr instruction) {
  FramePlanner* frames = module.versions->frames.get();
  const FileAddr at(instruction - module.next.bias);
  const Function* active = module.after().FindFunction(at - 1);
  if (active == nullptr || frames == nullptr) return;
  for (const Function& each : module.before().functions()) {
    if (each.Key() != active->Key()) continue;
    const bool changed = !module.map().HasSame(each);
    // Where types change, the variables of functions that stay the same matter, too.
    if (!changed && module.map().changed_types().empty()) continue;
    frames->PlanFunction(each);
    const FramePlan* plan = changed ? frames->PlanGoingOnAt(at) : nullptr;
    const auto model =
        plan != nullptr ? ModelFrame::Find(context_.next, instruction) : std::nullopt;
    if (!model) continue;
    for (const CarriedVariable& carried : plan->carried) {
      const auto place = WordPlace(carried);
      const auto word = place ? model->ReadWord(*place) : std::nullopt;
      if (word) context_.start_allocations.Pair(*word, 0);  // of a process that nobody has stopped
    }
    // What the frames will lead to belongs to what is brought along.
    for (const ModelledValue& value : plan->modelled) {
      (void)model->Read(value, context_.next_to_live, context_.start_allocations, Addr());
    }
  }
}

void StackTakeOver::Problem(pid_t tid, const std::string& text) {
  problems_.push_back(
      fmt::format("process {}: the stack of thread {}: {}", context_.live.pid(), tid, text));
}

Status StackTakeOver::Rebuild(checkpoint::ProcessGraft& graft) {
  for (Rebuilt& stack : stacks_) {
    MCR_TRY(RebuildStack(stack));
    graft.writes.Add(stack.layout.written().begin(), stack.bytes);
    for (const auto& [at, placeholder] : stack.placeholders) {
      graft.allocated_words.push_back({at, Addr(placeholder)});
    }
  }
  return {};
}

Status StackTakeOver::RebuildStack(Rebuilt& stack) {
  const StackLayout& layout = stack.layout;
  const Range<Addr> written = layout.written();
  const Mapping* mapping = FindMapping(context_.live.mappings(), written.begin());
  if (mapping == nullptr || !mapping->range.Contains(written)) {
    Problem(layout.tid(), "it has no room to grow");
    return {};
  }
  stack.bytes.resize(written.size());
  const auto& frames = layout.frames();
  for (size_t i = 0; i < frames.size(); ++i) {
    if (frames[i].plan == nullptr) MCR_TRY(CopyFrame(stack, frames[i], i == 0));
  }
  Values values = {};
  for (const SavedRegister& each : kSavedRegisters) {
    MCR_ASSIGN(const uint64_t word,
               RegisterIn(layout.outer(), context_.live, layout.thread().registers, each.number));
    values[static_cast<size_t>(each.number)] = Translate(word, "a saved register", false);
  }
  for (size_t i = frames.size(); i-- > 0;) {
    if (frames[i].plan == nullptr) {
      MCR_TRY(SaveInKept(stack, i, values));
    } else {
      MCR_TRY(RebuildFrame(stack, i, values));
    }
  }
  stack.registers = values;
  return {};
}

// As it is, but for pointers into stacks. Pointers into modules are the business of whoever
// retargets those, wherever they are.
Status StackTakeOver::CopyFrame(Rebuilt& stack, const FramePlace& frame, bool innermost) {
  const uint64_t below = innermost ? kRedZone : 0;
  std::vector<std::byte> bytes(frame.old_end - frame.old_begin() + below);
  MCR_TRY(context_.live.Read(frame.old_begin() - below, bytes));
  for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
    uint64_t word = WordAt(bytes, at);
    const uint64_t plain = context_.guard.Demangle(word);
    const bool mangled = StackOf(word) == nullptr && StackOf(plain) != nullptr;
    if (!mangled && StackOf(word) == nullptr) continue;
    const uint64_t moved = Translate(
        mangled ? plain : word, fmt::format("the word at {}", Hex(frame.old_begin() + at)), true);
    word = mangled ? context_.guard.Mangle(moved) : moved;
    std::memcpy(bytes.data() + at, &word, kWord);
  }
  Put(stack, frame.new_begin - below, bytes);
  return {};
}

// Registers that the kept frame saved for its caller, whose values may be others now.
Status StackTakeOver::SaveInKept(Rebuilt& stack, size_t index, Values& values) {
  const auto& frames = stack.layout.frames();
  const FramePlace& frame = frames[index];
  const checkpoint::StackFrame& outer =
      index + 1 < frames.size() ? frames[index + 1].before : stack.layout.outer();
  for (size_t i = 0; i < kSavedRegisters.size(); ++i) {
    if (outer.saved[i] == frame.before.saved[i] || outer.saved[i].IsNull()) continue;
    const auto number = static_cast<size_t>(kSavedRegisters[i].number);
    if (outer.saved[i] < frame.old_begin() || frame.old_end <= outer.saved[i]) {
      return Fail("a register is saved outside of the frame that saved it", Hex(outer.saved[i]));
    }
    PutWord(stack, frame.new_begin + (outer.saved[i] - frame.old_begin()), values[number]);
    stack.own_words.insert(outer.saved[i]);
    MCR_ASSIGN(const uint64_t word,
               RegisterIn(frame.before, context_.live, stack.layout.thread().registers,
                          kSavedRegisters[i].number));
    values[number] = Translate(word, "a saved register", false);
  }
  return {};
}

Status StackTakeOver::RebuildFrame(Rebuilt& stack, size_t index, Values& values) {
  const FramePlace& frame = stack.layout.frames()[index];
  const FramePlan& plan = *frame.plan;
  ++rebuilt_frames_;
  // Its return address, which RetargetOnStack settles if the caller was kept.
  MCR_ASSIGN(const uint64_t returns, context_.live.ReadValue<uint64_t>(frame.old_end - kWord));
  const bool caller_is_rebuilt =
      index + 1 < stack.layout.frames().size() && stack.layout.frames()[index + 1].plan != nullptr;
  if (!caller_is_rebuilt) PutWord(stack, frame.new_end - kWord, returns);
  for (int number = 0; number < kRegisterCount; ++number) {
    const auto& saved = plan.new_saved[static_cast<size_t>(number)];
    if (saved) PutWord(stack, Plus(frame.new_end, *saved), values[static_cast<size_t>(number)]);
  }
  for (int number = 0; number < kRegisterCount; ++number) {
    if (plan.new_own & Bit(number)) values[static_cast<size_t>(number)] = 0;
  }
  for (const CarriedVariable& each : plan.carried) MCR_TRY(Carry(stack, frame, each, values));
  for (const ComputedValue& each : plan.computed) MCR_TRY(Compute(stack, frame, each, values));
  if (!plan.modelled.empty()) PairCarried(stack, frame, values);
  for (const ModelledValue& each : plan.modelled) {
    MCR_TRY(TakeFromNext(stack, frame, each, values));
  }
  if (frame.required) {
    for (const std::string& problem : plan.problems) {
      Problem(stack.layout.tid(), fmt::format("`{}`: {}", plan.function, problem));
    }
  }
  PutWord(stack, frame.new_begin - kWord, frame.module->InNew(plan.new_return));
  return {};
}

Status StackTakeOver::Carry(Rebuilt& stack, const FramePlace& frame,
                            const CarriedVariable& variable, Values& values) {
  auto read = ReadPieces({frame.before, frame.old_end, stack.layout.thread().registers},
                         context_.live, variable.from, variable.size);
  const bool required = frame.required && variable.required;
  if (!read && !required) return {};
  MCR_ASSIGN(std::vector<std::byte> old, std::move(read));
  MCR_ASSIGN(const CarriedValue value, Convert(frame, variable, old, required));
  uint64_t at = 0;
  for (const Location& piece : variable.to) {
    const uint64_t size = piece.size == 0 ? variable.new_size : piece.size;
    const auto part = std::span(value.bytes).subspan(std::min<uint64_t>(at, value.bytes.size()));
    const auto bytes = part.first(std::min<uint64_t>(size, part.size()));
    if (piece.kind == Location::Kind::kFrame) {
      const Addr to = Plus(frame.new_end, piece.offset);
      Put(stack, to, bytes);
      for (const uint64_t word : value.placeholders) {
        if (word < at || at + bytes.size() < word + kWord) continue;
        stack.placeholders[to + (word - at)] = WordAt(value.bytes, word);
      }
    }
    if (piece.kind == Location::Kind::kRegister) {
      values[static_cast<size_t>(piece.register_number)] = WordAt(bytes, 0);
    }
    at += size;
  }
  return {};
}

Result<StackTakeOver::CarriedValue> StackTakeOver::Convert(const FramePlace& frame,
                                                           const CarriedVariable& variable,
                                                           std::span<const std::byte> old,
                                                           bool required) {
  const std::string holder = fmt::format("`{}` of `{}`", variable.name, frame.plan->function);
  CarriedValue value;
  const auto translate = [&](const ValueWord& word) -> Result<uint64_t> {
    const uint64_t to = Translate(word.word, holder, required, word.pointee);
    if (IsPlaceholder(to) && to != word.word) value.placeholders.push_back(word.to);
    return to;
  };
  const Recipe& recipe = frame.module->map().recipes().Get(variable.type);
  const bool typed = variable.type != 0 && recipe.has_pointers && recipe.from_size == old.size();
  if (variable.reshaped || typed) {
    value.bytes.resize(variable.new_size);
    const Status applied = Apply(recipe, old, value.bytes, translate);
    if (!applied && required) {
      problems_.push_back(
          fmt::format("process {}: {}: {}", context_.live.pid(), holder, applied.error().Line()));
    }
    return value;
  }
  value.bytes.assign(old.begin(), old.end());
  for (uint64_t at = 0; at + kWord <= old.size(); at += kWord) {
    MCR_ASSIGN(const uint64_t word, translate({at, at, WordAt(old, at)}));
    std::memcpy(value.bytes.data() + at, &word, kWord);
  }
  return value;
}

Status StackTakeOver::Compute(Rebuilt& stack, const FramePlace& frame,
                              const ComputedValue& computed, Values& values) {
  auto value = static_cast<uint64_t>(computed.value.offset);
  switch (computed.value.kind) {
    case FlowValue::Kind::kFrame:
      value += frame.new_end.value();
      break;
    case FlowValue::Kind::kProgram:
      value = frame.module->InNew(FileAddr(value));
      break;
    case FlowValue::Kind::kGuard: {
      const Addr guard(stack.layout.thread().registers.fs_base + kGuardOffset);
      MCR_ASSIGN(value, context_.live.ReadValue<uint64_t>(guard));
      break;
    }
    default:
      break;
  }
  if (computed.to.register_number != kNoRegister) {
    values[static_cast<size_t>(computed.to.register_number)] = value;
  } else {
    PutWord(stack, Plus(frame.new_end, computed.to.at), value);
  }
  return {};
}

// What variables that both versions have point to is the same.
void StackTakeOver::PairCarried(const Rebuilt& stack, const FramePlace& frame,
                                const Values& values) {
  const Addr returns = frame.module->next.bias + frame.plan->new_return.value();
  const auto model = ModelFrame::Find(context_.next, returns);
  if (!model) return;
  for (const CarriedVariable& each : frame.plan->carried) {
    const auto to = WordPlace(each);
    const auto theirs = to ? model->ReadWord(*to) : std::nullopt;
    if (!theirs) continue;
    uint64_t ours = 0;
    if (to->register_number != kNoRegister) {
      ours = values[static_cast<size_t>(to->register_number)];
    } else {
      const Addr at = Plus(frame.new_end, to->at);
      ours = WordAt(stack.bytes, at - stack.layout.written().begin());
    }
    context_.start_allocations.Pair(*theirs, ours);
  }
}

// The process of the new version that is idle at the same call: it has there what its start-up
// made, which is all that anybody knows of a value that the old version does not have.
Status StackTakeOver::TakeFromNext(Rebuilt& stack, const FramePlace& frame,
                                   const ModelledValue& modelled, Values& values) {
  if (!frame.required) return {};
  const auto refuse = [&](const std::string& why) {
    Problem(stack.layout.tid(),
            fmt::format("the new `{}` needs {}, which the old one does not have, and {}",
                        frame.plan->function, modelled.what, why));
    return Status();
  };
  const Addr returns = frame.module->next.bias + frame.plan->new_return.value();
  const auto model = ModelFrame::Find(context_.next, returns);
  if (!model) return refuse("no process of the new version is at this call");
  const auto bytes =
      model->Read(modelled, context_.next_to_live, context_.start_allocations, frame.new_end);
  if (!bytes) {
    return refuse("a start of it has the address of its own memory there: " + bytes.error().Line());
  }
  if (modelled.to.register_number != kNoRegister) {
    values[static_cast<size_t>(modelled.to.register_number)] = WordAt(*bytes, 0);
    return {};
  }
  const Addr to = Plus(frame.new_end, modelled.to.at);
  Put(stack, to, *bytes);
  for (uint64_t at = 0; at + kWord <= bytes->size(); at += kWord) {
    if (IsPlaceholder(WordAt(*bytes, at))) PutWord(stack, to + at, WordAt(*bytes, at));
  }
  return {};
}

const StackLayout* StackTakeOver::StackOf(uint64_t word) const {
  const auto found = std::ranges::find_if(
      stacks_, [&](const Rebuilt& stack) { return stack.layout.old_range().Contains(Addr(word)); });
  return found == stacks_.end() ? nullptr : &found->layout;
}

uint64_t StackTakeOver::Translate(uint64_t word, const std::string& holder, bool required,
                                  TypeId pointee) {
  std::string problem;
  std::optional<uint64_t> found = TranslatePlain(word, false, problem, pointee);
  const uint64_t plain = context_.guard.Demangle(word);
  const bool mangled =
      found == word && (StackOf(plain) != nullptr || context_.modules.HoldOld(plain));
  if (mangled) {
    found = TranslatePlain(plain, true, problem, 0);
    if (found) found = context_.guard.Mangle(*found);
  }
  if (found) return *found;
  if (required) {
    problems_.push_back(
        fmt::format("process {}: {} points to {}", context_.live.pid(), holder, problem));
    return word;
  }
  // Nobody reads it, but it must not lead into the old version.
  const ChangedModule* module = context_.modules.Of(word);
  return module == nullptr ? word : module->Shifted(word);
}

// `certain`: the word is an address, not what an earlier call left.
std::optional<uint64_t> StackTakeOver::TranslatePlain(uint64_t word, bool certain,
                                                      std::string& problem, TypeId pointee) const {
  if (const StackLayout* stack = StackOf(word)) {
    const StackLayout::Target target = stack->Follow(Addr(word), pointee);
    if (target.kind == StackLayout::Target::Kind::kGone) {
      problem = "a part of " + target.where + " that the new version does not have";
      return std::nullopt;
    }
    return target.to.value();
  }
  if (!context_.modules.HoldOld(word)) {
    const ObjectMoves::Landing landing = context_.moves.Translate(word, pointee);
    if (landing.move == nullptr) return word;
    if (!landing.to) {
      problem = fmt::format("a part of a {} that the new version does not have",
                            *landing.move->type_name);
    }
    return landing.to;
  }
  const ChangedModule& module = *context_.modules.Of(word);
  const FileAddr target = module.InOld(word);
  const Translation translation = module.map().Translate(target, pointee);
  if (translation.kind != PointerKind::kNone) return module.InNew(translation.to);
  if (!certain && !translation.exact) return module.Shifted(word);
  problem = fmt::format("{}: {}", AddressMap::Name(module.before(), target), translation.problem);
  return std::nullopt;
}

Result<std::optional<uint64_t>> StackTakeOver::Follow(uint64_t word, TypeId pointee) const {
  if (StackOf(word) == nullptr) return std::nullopt;
  std::string problem;
  const auto to = TranslatePlain(word, true, problem, pointee);
  if (!to) return Fail("points to " + problem);
  return to;
}

bool StackTakeOver::IsRebuilt(pid_t tid) const {
  return std::ranges::any_of(stacks_,
                             [&](const Rebuilt& stack) { return stack.layout.tid() == tid; });
}

std::vector<Range<Addr>> StackTakeOver::rebuilt_ranges() const {
  std::vector<Range<Addr>> ranges;
  for (const Rebuilt& stack : stacks_) {
    const Range<Addr> old = stack.layout.old_range(), now = stack.layout.written();
    ranges.push_back(
        *Range<Addr>::FromTo(std::min(old.begin(), now.begin()), std::max(old.end(), now.end())));
  }
  std::ranges::sort(ranges);
  return ranges;
}

void StackTakeOver::Put(Rebuilt& stack, Addr at, std::span<const std::byte> bytes) {
  const Range<Addr> written = stack.layout.written();
  if (at < written.begin() || written.end() < at + bytes.size()) {
    return Problem(stack.layout.tid(), "a value lies outside of the frames that are rebuilt");
  }
  std::ranges::copy(bytes, stack.bytes.begin() + static_cast<ptrdiff_t>(at - written.begin()));
  stack.placeholders.erase(stack.placeholders.lower_bound(at),
                           stack.placeholders.lower_bound(at + bytes.size()));
}

void StackTakeOver::PutWord(Rebuilt& stack, Addr at, uint64_t word) {
  Put(stack, at, std::as_bytes(std::span(&word, 1)));
  if (IsPlaceholder(word)) stack.placeholders[at] = word;
}

std::optional<Addr> StackTakeOver::Place(Addr word) const {
  for (const Rebuilt& stack : stacks_) {
    if (!stack.layout.written().Contains(word)) continue;
    if (stack.own_words.contains(word)) return std::nullopt;
    const auto& frames = stack.layout.frames();
    const auto frame =
        std::ranges::find_if(frames, [&](const FramePlace& each) { return word < each.old_end; });
    if (frame == frames.end() || word + kRedZone < frames.front().old_begin()) {
      return std::nullopt;
    }
    // The return address into a frame further out is that frame's, or was settled with it.
    const bool returns = word == frame->old_end - kWord;
    const bool into_rebuilt = std::next(frame) != frames.end() && std::next(frame)->plan != nullptr;
    if (returns) return into_rebuilt ? std::nullopt : std::optional(frame->new_end - kWord);
    if (frame->plan != nullptr) return std::nullopt;
    return frame->new_begin - (frame->old_begin() - word);
  }
  return word;
}

user_regs_struct StackTakeOver::Registers(const checkpoint::ThreadImage& thread) const {
  user_regs_struct registers = thread.registers;
  static constexpr unsigned long long user_regs_struct::* kArguments[] = {
      &user_regs_struct::rax, &user_regs_struct::rcx, &user_regs_struct::rdx,
      &user_regs_struct::rsi, &user_regs_struct::rdi, &user_regs_struct::r8,
      &user_regs_struct::r9,  &user_regs_struct::r10, &user_regs_struct::r11};
  for (const auto field : kArguments) {
    std::string ignored;
    const bool on_stack = StackOf(registers.*field) != nullptr;
    if (on_stack)
      registers.*field = TranslatePlain(registers.*field, false, ignored, 0).value_or(0);
  }
  const auto found = std::ranges::find(stacks_, thread.tid,
                                       [](const Rebuilt& stack) { return stack.layout.tid(); });
  if (found == stacks_.end()) return registers;
  for (const SavedRegister& each : kSavedRegisters) {
    registers.*each.field = found->registers[static_cast<size_t>(each.number)];
  }
  registers.rsp = found->layout.frames().front().new_begin.value();
  return registers;
}

Status StackTakeOver::Retarget(checkpoint::WriteList& writes) {
  std::vector<Range<Addr>> targets;
  for (const Rebuilt& stack : stacks_) {
    if (!stack.layout.in_place()) targets.push_back(stack.layout.old_range());
  }
  if (targets.empty()) return {};
  std::ranges::sort(targets);
  for (const Mapping& mapping : context_.live.mappings()) {
    if (IsScanned(mapping)) MCR_TRY(RetargetIn(mapping, targets, writes));
  }
  return {};
}

Status StackTakeOver::RetargetIn(const Mapping& mapping, const std::vector<Range<Addr>>& targets,
                                 checkpoint::WriteList& writes) {
  MCR_ASSIGN(const auto pointers, ScanMapping(context_.live, mapping, targets, context_.guard));
  for (const LikelyPointer& pointer : pointers) {
    const bool in_stack = StackOf(pointer.at.value()) != nullptr;
    if (in_stack || !pointer.aligned() || StackOf(pointer.target) == nullptr) continue;
    uint64_t at = pointer.at.value();
    if (context_.modules.HoldOld(at)) {
      const ChangedModule& module = *context_.modules.Of(at);
      const Translation& holder = module.map().Translate(module.InOld(at));
      if (holder.kind != PointerKind::kVariable) continue;
      at = module.InNew(holder.to);
    }
    const uint64_t moved =
        Translate(pointer.target, fmt::format("the word at {}", Hex(pointer.at)), true);
    writes.AddWord(Addr(at), pointer.mangled ? context_.guard.Mangle(moved) : moved);
  }
  return {};
}

}  // namespace mcr::mutator
