#include "mutator/merge/stack/frame_matcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {
namespace {

constexpr int64_t kWord = 8;
using Kind = Location::Kind;
using Held = FlowValue::Kind;

bool IsCalleeSaved(int number) { return number != kNoRegister && (kCalleeSaved & Bit(number)); }

uint64_t SizeOf(const Location& piece, const FrameVariable& variable) {
  return piece.size == 0 ? variable.size : piece.size;
}

// Variables of one name that are in scope together; those of inner blocks come later.
using ByName = std::map<std::string, std::vector<const FrameVariable*>>;

ByName InScope(const FrameAtCall& frame) {
  ByName found;
  for (const FrameVariable& variable : frame.function->frame.variables) {
    if (variable.IsInScope(frame.returns - 1)) found[variable.name].push_back(&variable);
  }
  return found;
}

SavedRegisters FindSaved(const FlowState& state) {
  SavedRegisters saved;
  for (const auto& [offset, value] : state.slots) {
    const auto number = static_cast<int>(value.offset);
    if (value.kind != Held::kEntry || !IsCalleeSaved(number)) continue;
    // Of several copies the highest: pushed first, popped at the end.
    saved[static_cast<size_t>(number)] = offset;
  }
  return saved;
}

// Whether a value of this type may hold an address. Characters do not, nor do small numbers.
bool MayPoint(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  switch (type.kind) {
    case TypeKind::kInteger:
    case TypeKind::kEnum:
      return type.size >= static_cast<uint64_t>(kWord);
    case TypeKind::kFloat:
      return false;
    case TypeKind::kArray:
      return MayPoint(types, type.target);
    case TypeKind::kStruct:
      return std::ranges::any_of(type.members,
                                 [&](const Member& each) { return MayPoint(types, each.type); });
    default:
      return true;
  }
}

class Matcher {
 public:
  Matcher(const FrameAtCall& before, const FrameAtCall& after, bool is_start_frame)
      : before_(before),
        after_(after),
        is_start_frame_(is_start_frame),
        old_names_(InScope(before)),
        new_names_(InScope(after)) {}

  Result<FramePlan> Match(const std::string& name);

 private:
  Status MeasureFrames();
  void MatchVariable(const FrameVariable& variable, const FrameVariable* same);
  void NoteMoved(const FrameVariable& same, const FrameVariable& variable,
                 const std::vector<Location>& from, const std::vector<Location>& to);
  void FindGone();
  void MatchRegisters();
  void MatchWords();
  void MatchPlace(const FrameTarget& target, const FlowValue& value, const std::string& what);
  bool MatchAhead(const FrameTarget& target);
  void TakeAhead(const FrameVariable& variable, const std::vector<Location>& to,
                 const FrameTarget& target);
  static bool IsAt(const Location& place, const FrameTarget& target);
  void MatchUndescribed();
  static void JoinHalves(std::vector<ModelledValue>& values);
  // Remembers its answers.
  std::vector<Location> FindAhead(const FrameAtCall& frame, const FrameVariable& variable);
  static std::vector<Location> LookAhead(const FrameAtCall& frame, const FrameVariable& variable);
  bool IsOutOfScope(const FrameObject& object) const;
  bool IsCovered(FrameOffset granule) const;
  bool IsCarriedIn(int register_number) const;
  bool Same(const FrameVariable& a, const FrameVariable& b) const;
  bool MayReshape(const FrameVariable& before, const FrameVariable& after) const;
  void Problem(std::string text) { plan_.problems.push_back(std::move(text)); }

  const FrameAtCall& before_;
  const FrameAtCall& after_;
  const bool is_start_frame_;
  const ByName old_names_, new_names_;
  FramePlan plan_;
  std::vector<ModelledValue> undescribed_;
  std::vector<const FrameVariable*> unknown_;  // told as problems already
  std::unordered_map<const FrameVariable*, std::vector<Location>> ahead_;
};

Result<FramePlan> Matcher::Match(const std::string& name) {
  plan_.function = name;
  plan_.new_return = after_.returns;
  MCR_TRY(MeasureFrames());
  for (const auto& [each, variables] : new_names_) {
    const auto old = old_names_.find(each);
    const bool paired = old != old_names_.end() && old->second.size() == variables.size();
    for (size_t i = 0; i < variables.size(); ++i) {
      MatchVariable(*variables[i], paired ? old->second[i] : nullptr);
    }
  }
  MatchRegisters();
  MatchWords();
  MatchUndescribed();
  FindGone();
  plan_.never_returns = !before_.function->flow.returns() && !after_.function->flow.returns();
  return std::move(plan_);
}

Status Matcher::MeasureFrames() {
  const FlowValue& old_stack = before_.state.registers[kRsp];
  const FlowValue& new_stack = after_.state.registers[kRsp];
  if (old_stack.kind != Held::kFrame || new_stack.kind != Held::kFrame) {
    return Fail("the size of its frame is only known as it runs");
  }
  plan_.old_stack = old_stack.offset;
  plan_.new_stack = new_stack.offset;
  plan_.old_saved = FindSaved(before_.state);
  plan_.new_saved = FindSaved(after_.state);
  for (int number = 0; number < kRegisterCount; ++number) {
    const auto index = static_cast<size_t>(number);
    if (!IsCalleeSaved(number)) continue;
    const FlowValue entry{Held::kEntry, number};
    if (after_.state.registers[index] == entry) continue;
    plan_.new_own |= Bit(number);
    // Nobody returns from a function that never does: no caller misses its registers.
    if (!plan_.new_saved[index] && after_.function->flow.returns()) {
      return Fail(fmt::format("where it keeps its caller's register {} is not clear", number));
    }
  }
  return {};
}

bool Matcher::Same(const FrameVariable& a, const FrameVariable& b) const {
  return a.size == b.size && !LayoutDifference(before_.function->frame.types, a.type,
                                               after_.function->frame.types, b.type);
}

// A struct that has a name, and so a recipe between the versions.
bool Matcher::MayReshape(const FrameVariable& before, const FrameVariable& after) const {
  const Type& from = before_.function->frame.types[before.type];
  const Type& to = after_.function->frame.types[after.type];
  return before_.function->TypeOf(before) != 0 && from.kind == TypeKind::kStruct &&
         to.kind == TypeKind::kStruct && from.name == to.name;
}

void Matcher::MatchVariable(const FrameVariable& variable, const FrameVariable* same) {
  const std::vector<Location> to = after_.WhereIs(variable);
  const bool placed = std::ranges::any_of(to, [](const Location& piece) {
    return piece.kind == Kind::kFrame || piece.kind == Kind::kRegister;
  });
  const std::vector<Location> from =
      same == nullptr ? std::vector<Location>{} : before_.WhereIs(*same);
  if (same != nullptr) NoteMoved(*same, variable, from, to);
  if (!placed) return;
  const bool read = after_.Reads(variable, to);
  const TypeId type = same == nullptr ? 0 : before_.function->TypeOf(*same);
  const bool reshaped = same != nullptr && !Same(*same, variable);
  if (same != nullptr && (!reshaped || MayReshape(*same, variable))) {
    std::vector<Location> found = from;
    if (!IsKnown(found)) found = FindAhead(before_, *same);
    if (IsKnown(found)) {
      plan_.carried.push_back(
          {variable.name, same->size, variable.size, found, to, read, type, reshaped});
      return;
    }
  } else if (same != nullptr && read && !is_start_frame_) {
    unknown_.push_back(&variable);
    const auto difference = LayoutDifference(before_.function->frame.types, same->type,
                                             after_.function->frame.types, variable.type);
    Problem(fmt::format("variable `{}` has another type in the new version: {}", variable.name,
                        difference.value_or("another size")));
    return;
  }
  if (!read) return;
  if (old_names_.contains(variable.name) && !is_start_frame_) {
    unknown_.push_back(&variable);
    return Problem(fmt::format(
        "the value of variable `{}` is not known in the old version (annotation: start_frame)",
        variable.name));
  }
  const bool may_point = MayPoint(after_.function->frame.types, variable.type);
  for (const Location& piece : to) {
    FrameTarget target{piece.register_number, piece.offset, SizeOf(piece, variable)};
    if (piece.kind == Kind::kRegister) target = {piece.register_number, 0, kWord};
    if (piece.kind != Kind::kRegister && piece.kind != Kind::kFrame) continue;
    plan_.modelled.push_back({target, fmt::format("variable `{}`", variable.name), may_point});
  }
}

void Matcher::NoteMoved(const FrameVariable& same, const FrameVariable& variable,
                        const std::vector<Location>& from, const std::vector<Location>& to) {
  const bool whole = from.size() == 1 && to.size() == 1 && from.front().kind == Kind::kFrame &&
                     to.front().kind == Kind::kFrame;
  if (!whole) return;
  const bool reshaped = !Same(same, variable);
  if (reshaped && !MayReshape(same, variable)) return;
  plan_.moved.push_back({variable.name, from.front().offset, to.front().offset,
                         SizeOf(from.front(), same),
                         reshaped ? before_.function->TypeOf(same) : 0});
}

void Matcher::FindGone() {
  const auto moved = [&](FrameOffset at) {
    return std::ranges::any_of(plan_.moved, [&](const MovedObject& each) {
      return each.from <= at && at < each.from + static_cast<int64_t>(each.size);
    });
  };
  for (const FrameObject& object : before_.function->flow.exposed()) {
    const bool is_saved = std::ranges::any_of(
        plan_.old_saved, [&](const auto& saved) { return saved == object.begin; });
    if (!is_saved && !moved(object.begin) && !IsOutOfScope(object)) plan_.gone.push_back(object);
  }
}

// Whether only variables of blocks that are not active are there.
bool Matcher::IsOutOfScope(const FrameObject& object) const {
  bool found = false;
  for (const FrameVariable& variable : before_.function->frame.variables) {
    for (const FrameVariable::Described& each : variable.locations) {
      if (each.pieces.size() != 1) continue;
      const Location place = before_.Settle(each.pieces.front());
      if (place.kind != Kind::kFrame || place.offset != object.begin) continue;
      if (variable.IsInScope(before_.returns - 1)) return false;
      found = true;
    }
  }
  return found;
}

bool Matcher::IsCarriedIn(int register_number) const {
  const auto here = [&](const std::vector<Location>& pieces) {
    return std::ranges::any_of(pieces, [&](const Location& piece) {
      return piece.kind == Kind::kRegister && piece.register_number == register_number;
    });
  };
  const bool unknown = std::ranges::any_of(
      unknown_, [&](const FrameVariable* each) { return here(after_.WhereIs(*each)); });
  if (unknown) return true;
  return std::ranges::any_of(plan_.carried, [&](const auto& each) { return here(each.to); }) ||
         std::ranges::any_of(plan_.modelled, [&](const ModelledValue& each) {
           return each.to.register_number == register_number;
         });
}

bool Matcher::IsCovered(FrameOffset granule) const {
  const auto overlaps = [&](FrameOffset begin, uint64_t size) {
    return begin < granule + kFlowGranule && granule < begin + static_cast<int64_t>(size);
  };
  for (const CarriedVariable& each : plan_.carried) {
    for (const Location& piece : each.to) {
      const uint64_t size = piece.size == 0 ? each.new_size : piece.size;
      if (piece.kind == Kind::kFrame && overlaps(piece.offset, size)) return true;
    }
  }
  for (const ComputedValue& each : plan_.computed) {
    if (each.to.register_number == kNoRegister && overlaps(each.to.at, each.to.size)) return true;
  }
  for (const ModelledValue& each : plan_.modelled) {
    if (each.to.register_number == kNoRegister && overlaps(each.to.at, each.to.size)) return true;
  }
  return std::ranges::any_of(plan_.new_saved,
                             [&](const auto& saved) { return saved && overlaps(*saved, kWord); });
}

void Matcher::MatchRegisters() {
  for (int number = 0; number < kRegisterCount; ++number) {
    const bool needed = (plan_.new_own & after_.live.registers & Bit(number)) != 0;
    if (!needed || IsCarriedIn(number)) continue;
    MatchPlace({number, 0, kWord}, after_.state.registers[static_cast<size_t>(number)],
               fmt::format("what register {} holds", kRegisterNames[static_cast<size_t>(number)]));
  }
}

void Matcher::MatchWords() {
  for (const FrameOffset granule : after_.live.words) {
    // What is above belongs to the caller, what is below to the called function.
    if (granule < plan_.new_stack || granule >= -kWord || IsCovered(granule)) continue;
    auto slot = after_.state.slots.upper_bound(granule);
    const bool known =
        slot != after_.state.slots.begin() && granule < std::prev(slot)->first + kWord;
    const FrameOffset at = known ? std::prev(slot)->first : granule;
    const uint64_t size = known ? kWord : kFlowGranule;
    MatchPlace({kNoRegister, at, size}, known ? std::prev(slot)->second : FlowValue{},
               fmt::format("the temporary at {:#x} of its frame", -at));
  }
}

// What debug information does not name at the call itself.
void Matcher::MatchPlace(const FrameTarget& target, const FlowValue& value,
                         const std::string& what) {
  switch (value.kind) {
    case Held::kNumber:
    case Held::kFrame:
    case Held::kProgram:
    case Held::kGuard:
      plan_.computed.push_back({target, value});
      return;
    case Held::kEntry: {
      const Location entry =
          before_.Settle({Kind::kEntry, static_cast<int>(value.offset), 0, kWord});
      if (entry.kind == Kind::kNowhere) break;
      Location to{Kind::kFrame, kNoRegister, target.at, kWord};
      if (target.register_number != kNoRegister) {
        to = {Kind::kRegister, target.register_number, 0, kWord};
      }
      plan_.carried.push_back({what, kWord, kWord, {entry}, {to}, true});
      return;
    }
    case Held::kUnknown:
      break;
  }
  if (!MatchAhead(target)) undescribed_.push_back({target, what});
}

// A compiler may lose sight of a variable for a few instructions. If its place is described again
// before anything is written there, that is what is in it all the time.
bool Matcher::MatchAhead(const FrameTarget& target) {
  for (const auto& [name, variables] : new_names_) {
    for (const FrameVariable* variable : variables) {
      const std::vector<Location> to = FindAhead(after_, *variable);
      if (to.size() != 1 || !IsAt(to.front(), target)) continue;
      TakeAhead(*variable, to, target);
      return true;
    }
  }
  return false;
}

void Matcher::TakeAhead(const FrameVariable& variable, const std::vector<Location>& to,
                        const FrameTarget& target) {
  const auto old = old_names_.find(variable.name);
  if (old == old_names_.end()) {
    plan_.modelled.push_back({target, fmt::format("variable `{}`", variable.name)});
    return;
  }
  const bool paired = old->second.size() == 1 && new_names_.at(variable.name).size() == 1;
  std::vector<Location> from;
  if (paired && Same(*old->second.front(), variable)) {
    from = before_.WhereIs(*old->second.front());
    if (!IsKnown(from)) from = FindAhead(before_, *old->second.front());
  }
  if (IsKnown(from)) {
    plan_.carried.push_back({variable.name, variable.size, variable.size, from, to, true,
                             before_.function->TypeOf(*old->second.front())});
  } else if (is_start_frame_) {
    plan_.modelled.push_back({target, fmt::format("variable `{}`", variable.name)});
  } else {
    Problem(
        fmt::format("the value of variable `{}` is not known in the old version", variable.name));
  }
}

bool Matcher::IsAt(const Location& place, const FrameTarget& target) {
  return target.register_number != kNoRegister
             ? place.kind == Kind::kRegister && place.register_number == target.register_number
             : place.kind == Kind::kFrame && place.offset == target.at;
}

// What nothing describes may be any part of the server's state. Only if there are new variables
// that debug information does not place is it what they are made of.
void Matcher::MatchUndescribed() {
  const auto homeless = std::ranges::count_if(new_names_, [&](const auto& entry) {
    return !old_names_.contains(entry.first) &&
           std::ranges::none_of(entry.second, [&](const FrameVariable* variable) {
             return IsKnown(after_.WhereIs(*variable)) || !FindAhead(after_, *variable).empty();
           });
  });
  const bool explained = is_start_frame_ || undescribed_.size() <= static_cast<size_t>(homeless);
  for (ModelledValue& each : undescribed_) {
    if (explained) {
      plan_.modelled.push_back(std::move(each));
    } else {
      Problem("it needs " + each.what +
              ", which no debug information describes (annotation: start_frame)");
    }
  }
  if (is_start_frame_) JoinHalves(plan_.modelled);
}

// By words, where both halves are needed: they may be a pointer.
void Matcher::JoinHalves(std::vector<ModelledValue>& values) {
  std::vector<ModelledValue> joined;
  std::map<FrameOffset, ModelledValue> halves;
  for (const ModelledValue& each : values) {
    if (each.to.register_number != kNoRegister) {
      joined.push_back(each);
      continue;
    }
    const auto end = each.to.at + static_cast<int64_t>(each.to.size);
    for (FrameOffset at = each.to.at & ~(kFlowGranule - 1); at < end; at += kFlowGranule) {
      halves.try_emplace(at, ModelledValue{{kNoRegister, at, kFlowGranule}, each.what});
    }
  }
  for (auto& [at, half] : halves) {
    if (at % kWord == 0 && halves.contains(at + kFlowGranule)) half.to.size = kWord;
    const auto first = at % kWord == 0 ? halves.end() : halves.find(at - kFlowGranule);
    if (first == halves.end()) joined.push_back(half);
  }
  values = std::move(joined);
}

std::vector<Location> Matcher::FindAhead(const FrameAtCall& frame, const FrameVariable& variable) {
  const auto known = ahead_.find(&variable);
  if (known != ahead_.end()) return known->second;
  return ahead_.emplace(&variable, LookAhead(frame, variable)).first->second;
}

std::vector<Location> Matcher::LookAhead(const FrameAtCall& frame, const FrameVariable& variable) {
  if (IsKnown(frame.WhereIs(variable))) return {};
  for (const FrameVariable::Described& each : variable.locations) {
    if (!each.where || each.pieces.size() != 1) continue;
    const Location place = frame.Settle(each.pieces.front());
    if (place.kind != Kind::kRegister && place.kind != Kind::kFrame) continue;
    const FrameFlow::Place where{
        place.kind == Kind::kRegister ? place.register_number : kNoRegister, place.offset};
    const auto look = [&](FileAddr at) {
      if (each.where->Contains(at)) return FrameFlow::Look::kFound;
      return variable.At(at) == nullptr ? FrameFlow::Look::kOn : FrameFlow::Look::kStop;
    };
    if (frame.function->flow.Ahead(frame.returns, where, look)) return {place};
  }
  return {};
}

}  // namespace

Location FrameAtCall::Settle(Location location) const {
  const auto held = [&](int number) { return state.registers[static_cast<size_t>(number)]; };
  switch (location.kind) {
    case Kind::kRegister:
      if (!IsCalleeSaved(location.register_number)) return {.size = location.size};
      return location;
    case Kind::kRegisterMemory:
    case Kind::kRegisterSum: {
      const FlowValue value = held(location.register_number);
      if (value.kind == Held::kFrame) {
        const bool memory = location.kind == Kind::kRegisterMemory;
        return {memory ? Kind::kFrame : Kind::kFrameAddress, kNoRegister,
                location.offset + value.offset, location.size};
      }
      if (!IsCalleeSaved(location.register_number)) return {.size = location.size};
      return location;
    }
    case Kind::kEntry: {
      const FlowValue wanted{Held::kEntry, location.register_number};
      for (int number = 0; number < kRegisterCount && location.offset == 0; ++number) {
        if (IsCalleeSaved(number) && held(number) == wanted) {
          return {Kind::kRegister, number, 0, location.size};
        }
      }
      for (const auto& [offset, value] : state.slots) {
        if (value == wanted && location.offset == 0) {
          return {Kind::kFrame, kNoRegister, offset, location.size};
        }
      }
      return {.size = location.size};
    }
    default:
      return location;
  }
}

std::vector<Location> FrameAtCall::WhereIs(const FrameVariable& variable) const {
  // As long as the call lasts: the instruction that counts is the call's last byte.
  const std::vector<Location>* described = variable.At(returns - 1);
  std::vector<Location> settled;
  if (described == nullptr) return settled;
  for (const Location& piece : *described) settled.push_back(Settle(piece));
  return settled;
}

bool FrameAtCall::MayRead(FrameOffset at) const {
  const auto word = live.words.lower_bound(at - kFlowGranule + 1);
  const bool is_live = word != live.words.end() && *word < at + kWord;
  return is_live || std::ranges::any_of(function->flow.exposed(), [&](const FrameObject& object) {
           return object.begin < at + kWord && at < object.end;
         });
}

bool FrameAtCall::Reads(const FrameVariable& variable, const std::vector<Location>& places) const {
  const auto& taken = function->flow.taken();
  return std::ranges::any_of(places, [&](const Location& piece) {
    if (piece.kind == Kind::kRegister) return (live.registers & Bit(piece.register_number)) != 0;
    if (piece.kind != Kind::kFrame) return false;
    const FrameOffset end = piece.offset + static_cast<int64_t>(SizeOf(piece, variable));
    const auto address = taken.lower_bound(piece.offset);
    if (address != taken.end() && *address < end) return true;
    const auto word = live.words.lower_bound(piece.offset & ~(kFlowGranule - 1));
    return word != live.words.end() && *word < end;
  });
}

bool IsKnown(const std::vector<Location>& pieces) {
  return !pieces.empty() && std::ranges::all_of(pieces, [](const Location& piece) {
    return piece.kind != Kind::kNowhere;
  });
}

Result<FrameAtCall> FrameAtCall::Create(const FrameKnowledge& function, FileAddr returns) {
  auto state = function.flow.DuringCall(returns);
  auto live = function.flow.AfterCall(returns);
  if (!state || !live) return Fail("no call returns there", Hex(returns));
  return FrameAtCall{&function, returns, std::move(*state), std::move(*live)};
}

Result<FramePlan> MatchFrames(const std::string& name, const FrameAtCall& before,
                              const FrameAtCall& after, bool is_start_frame) {
  return Matcher(before, after, is_start_frame).Match(name);
}

}  // namespace mcr::mutator
