#include "mutator/merge/stack/stack_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mutator/graph/red_zone.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/stack/frame_planner.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
// What the ABI aligns the stack to at a call: code relies on it.
constexpr uint64_t kAlignment = 16;

// By their place in StackFrame::saved.
constexpr std::array<int, 6> kSavedRegisters = {kRbx, kRbp, 12, 13, 14, 15};

Error InFunction(const FramePlace& frame, const ChangedModule& module, const Error& why) {
  const FileAddr at = module.InOld(frame.before.instruction.value()) - 1;
  return Error{.what = fmt::format("{} is active and changed, and its frame cannot be rebuilt: {}",
                                   AddressMap::Name(module.before(), at), why.Line())};
}

Addr Plus(Addr address, FrameOffset offset) { return address + static_cast<uint64_t>(offset); }

}  // namespace

Result<std::optional<StackLayout>> StackLayout::Create(const checkpoint::ThreadImage& thread,
                                                       const ChangedModules& modules) {
  StackLayout layout(thread);
  MCR_TRY(layout.FindRebuilt(modules));
  if (layout.frames_.empty()) return std::optional<StackLayout>();
  MCR_TRY(layout.Place());
  for (size_t i = 0; i < layout.frames_.size(); ++i) MCR_TRY(layout.CheckFrame(i));
  return std::optional(std::move(layout));
}

Status StackLayout::FindRebuilt(const ChangedModules& modules) {
  size_t rebuilt = 0;
  const auto& frames = thread_->frames;
  for (size_t i = 0; i < frames.size(); ++i) {
    FramePlace frame{.before = frames[i], .old_end = {}, .new_end = {}, .new_begin = {}};
    const uint64_t instruction = frames[i].instruction.value();
    const ChangedModule* module = modules.Of(instruction - (i == 0 ? 0 : 1));
    if (module != nullptr) {
      const FileAddr at = module->InOld(instruction);
      const Translation& same =
          i == 0 ? module->map().Translate(at) : module->map().TranslateReturnAddress(at);
      if (same.kind == PointerKind::kNone) {
        if (i == 0) {
          return tl::make_unexpected(
              InFunction(frame, *module, Error{.what = "it makes no call at present"}));
        }
        if (module->versions->frames == nullptr) {
          return tl::make_unexpected(InFunction(frame, *module, Error{.what = same.problem}));
        }
        const Result<FramePlan>& plan = module->versions->frames->Plan(at);
        if (!plan) return tl::make_unexpected(InFunction(frame, *module, plan.error()));
        frame.plan = &*plan;
        frame.module = module;
        rebuilt = i + 1;
      }
    }
    frames_.push_back(std::move(frame));
  }
  if (rebuilt == frames.size() && rebuilt != 0) {
    return Fail("the outermost function of the thread changed");
  }
  if (rebuilt != 0) outer_ = frames[rebuilt];
  frames_.resize(rebuilt);
  return {};
}

Status StackLayout::Place() {
  Addr end = outer_.stack_pointer;
  Addr old_end = end;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    frame->old_end = old_end;
    frame->new_end = end;
    if (frame->plan != nullptr) {
      frame->new_begin = Plus(end, frame->plan->new_stack);
    } else {
      frame->new_begin = end - (old_end - frame->old_begin());
    }
    old_end = frame->old_begin();
    end = frame->new_begin;
  }
  bool comes_back = true;
  for (FramePlace& frame : frames_) {
    frame.required = comes_back;
    if (frame.plan != nullptr && frame.plan->never_returns) comes_back = false;
  }
  return {};
}

// What was worked out from the code, against what the unwinder saw.
Status StackLayout::CheckFrame(size_t index) const {
  const FramePlace& frame = frames_[index];
  const bool regular = std::ranges::binary_search(thread_->return_slots, frame.old_end - kWord);
  const uint64_t shift = frame.old_end - frame.new_end;
  if (shift != 0 && (!regular || shift % kAlignment != 0)) {
    return Fail("a frame on the stack cannot be moved", Hex(frame.old_begin()));
  }
  if (frame.plan == nullptr) return {};
  const bool called =
      index > 0 && std::ranges::binary_search(thread_->return_slots, frame.old_begin() - kWord);
  if (!called || !regular || Plus(frame.old_end, frame.plan->old_stack) != frame.old_begin()) {
    return tl::make_unexpected(
        InFunction(frame, *frame.module, Error{.what = "it is not as its code says"}));
  }
  const auto& outer = index + 1 < frames_.size() ? frames_[index + 1].before : outer_;
  for (size_t i = 0; i < kSavedRegisters.size(); ++i) {
    const auto& saved = frame.plan->old_saved[static_cast<size_t>(kSavedRegisters[i])];
    if (!saved || Plus(frame.old_end, *saved) == outer.saved[i]) continue;
    return tl::make_unexpected(InFunction(
        frame, *frame.module,
        Error{.what = fmt::format("register {} is not where its code keeps it",
                                  kRegisterNames[static_cast<size_t>(kSavedRegisters[i])])}));
  }
  return {};
}

Range<Addr> StackLayout::old_range() const {
  return *Range<Addr>::FromTo(frames_.front().old_begin() - kRedZone, frames_.back().old_end);
}

Range<Addr> StackLayout::written() const {
  const Addr begin = std::min(frames_.front().old_begin(), frames_.front().new_begin);
  return *Range<Addr>::FromTo(begin - kRedZone, frames_.back().old_end);
}

bool StackLayout::in_place() const {
  return std::ranges::all_of(frames_, [](const FramePlace& frame) {
    if (frame.old_end != frame.new_end || frame.old_begin() != frame.new_begin) return false;
    return frame.plan == nullptr ||
           (frame.plan->gone.empty() &&
            std::ranges::all_of(frame.plan->moved, [](const MovedObject& each) {
              return each.from == each.to && each.type == 0;
            }));
  });
}

StackLayout::Target StackLayout::Follow(Addr target, TypeId pointee) const {
  const auto frame =
      std::ranges::find_if(frames_, [&](const FramePlace& each) { return target < each.old_end; });
  if (frame == frames_.end()) return {Target::Kind::kMoved, target, ""};
  if (frame->plan != nullptr) return FollowInto(*frame, target, pointee);
  return {Target::Kind::kMoved, frame->new_begin - (frame->old_begin() - target), ""};
}

StackLayout::Target StackLayout::FollowInto(const FramePlace& frame, Addr target, TypeId pointee) {
  const auto offset = static_cast<FrameOffset>(target - frame.old_end);
  const MovedObject* found = nullptr;
  for (const MovedObject& each : frame.plan->moved) {
    const FrameOffset end = each.from + static_cast<int64_t>(each.size);
    if (each.from <= offset && offset < end) found = &each;
    // One past the end, unless something else begins there.
    if (offset == end && found == nullptr) found = &each;
  }
  if (found != nullptr) {
    auto inside = static_cast<uint64_t>(offset - found->from);
    if (found->type != 0) {
      const Recipe& recipe = frame.module->map().recipes().Get(found->type);
      const auto mapped = MapOffset(recipe, inside, pointee);
      if (!mapped) return {Target::Kind::kGone, {}, "`" + found->name + "`"};
      inside = *mapped;
    }
    return {Target::Kind::kMoved, Plus(frame.new_end, found->to) + inside, ""};
  }
  for (const FrameObject& each : frame.plan->gone) {
    if (offset < each.begin || each.end <= offset) continue;
    return {Target::Kind::kGone, {}, "the frame of `" + frame.plan->function + "`"};
  }
  return {Target::Kind::kStale, Plus(frame.new_end, offset), ""};
}

}  // namespace mcr::mutator
