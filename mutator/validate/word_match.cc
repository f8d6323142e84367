#include "mutator/validate/word_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "mcr/base/range.h"
#include "mutator/validate/indexed_match.h"

namespace mcr::mutator {
namespace {

using Target = WordVerdict::Target;

constexpr size_t kLongestText = 4096;  // bytes that are compared
constexpr uint64_t kLowBits = 7;       // of an aligned address

std::string NameOf(const Program& program, FileAddr at) {
  const auto named = [&](const std::string& name, FileAddr begin) {
    const uint64_t offset = at - begin;
    return offset == 0 ? fmt::format("`{}`", name) : fmt::format("`{}`+{:#x}", name, offset);
  };
  if (const Function* function = program.FindFunction(at)) {
    return named(function->name, function->range.begin());
  }
  if (const Variable* variable = program.FindVariable(at)) {
    return named(variable->name, variable->range.begin());
  }
  const Section* section = program.FindSection(at);
  return section == nullptr ? Hex(at) : named(section->name, section->range.begin());
}

// UTF-8 has no bytes from 0xf5 on: the tables of distances that a `switch` jumps by are full of
// 0xff.
bool IsPrintable(unsigned char c) {
  return (c >= ' ' && c != 0x7f && c < 0xf5) || c == '\n' || c == '\t';
}

// The text at the beginning of `bytes`; "" if there is none, or no end of it.
std::string_view TextOf(std::span<const std::byte> bytes) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()),
                             std::min(bytes.size(), kLongestText));
  const size_t end = all.find('\0');
  if (end == std::string_view::npos || !std::ranges::all_of(all.substr(0, end), IsPrintable)) {
    return {};
  }
  return all.substr(0, end);
}

bool SameShape(const Type& a, const Type& b) { return a.kind == b.kind && a.size == b.size; }

// Whether a call through a pointer to `pointer` may land in a function of type `function`: as many
// parameters, each passed the same way.
bool Compatible(const TypeTable& types, TypeId pointer, TypeId function) {
  const Type& wanted = types[pointer];
  const Type& found = types[function];
  return SameShape(types[wanted.target], types[found.target]) &&
         std::ranges::equal(wanted.parameters, found.parameters,
                            [&](TypeId a, TypeId b) { return SameShape(types[a], types[b]); });
}

bool IsFunctionType(const TypeTable& types, TypeId type) {
  return type != 0 && types[type].kind == TypeKind::kFunction;
}

// Whether the bytes before a return address are a call: E8, or FF /2 with its operand.
bool EndsWithCall(std::span<const std::byte> code) {
  const auto at = [&](size_t back) { return std::to_integer<uint8_t>(code[code.size() - back]); };
  if (code.size() >= 5 && at(5) == 0xe8) return true;
  for (const size_t length : {2, 3, 4, 6, 7}) {
    if (code.size() >= length && at(length) == 0xff && (at(length - 1) >> 3 & 7) == 2) return true;
  }
  return false;
}

bool Holds(const Range<Addr>& range, uint64_t at) {
  return range.Contains(Addr(at)) || range.end() == Addr(at);
}

}  // namespace

WordMatch::WordMatch(const Account& account, std::span<const std::unique_ptr<VersionPair>> versions,
                     const MemoryReader& before, const MemoryReader& after, const HeapView& heap)
    : account_(account),
      versions_(versions),
      before_(before),
      after_(after),
      heap_(heap),
      tag_masks_{kLowBits} {
  for (const auto& each : versions_) {
    for (const auto& annotation : each->layouts().annotations().tagged_pointer()) {
      tag_masks_.push_back(annotation.tag_mask());
    }
  }
  FindLayouts();
}

void WordMatch::FindLayouts() {
  const Account::Object* last = nullptr;
  for (const Account::Object& object : account_.objects) {
    const Account::Module& module = account_.modules[object.module];
    if (!object.indexed.empty()) {
      const auto places = MatchIndexed(object.indexed, VersionOf(module),
                                       {module.before_bias, before_}, {module.after_bias, after_});
      layouts_.push_back(&VersionOf(module).layouts().GetWords(
          object.before_type, object.after_type, object.before.size(), object.after_size, places));
      last = nullptr;
      continue;
    }
    const bool same = last != nullptr && object.before_type == last->before_type &&
                      object.after_type == last->after_type && object.module == last->module;
    layouts_.push_back(
        same ? layouts_.back()
             : &VersionOf(module).layouts().Get(object.before_type, object.after_type));
    last = &object;
  }
}

const Account::Module* WordMatch::ModuleOf(uint64_t before) const {
  for (const Account::Module& module : account_.modules) {
    if (module.before.Contains(Addr(before))) return &module;
  }
  return nullptr;
}

const Account::Object* WordMatch::ObjectOf(uint64_t at) const {
  const auto& objects = account_.objects;
  if (objects.empty() || Addr(at) < objects.front().before.begin()) return nullptr;
  const auto after = std::ranges::upper_bound(
      objects, Addr(at), {}, [](const Account::Object& object) { return object.before.begin(); });
  const Account::Object& object = *std::prev(after);
  const bool holds = object.in_region ? object.before.Contains(Addr(at)) : Holds(object.before, at);
  return holds ? &object : nullptr;
}

// Nobody knows of a word without a type whether it has flags in it.
WordVerdict WordMatch::Check(uint64_t before, uint64_t after, const WordType& type) const {
  WordVerdict verdict = CheckAddress(before, after, type);
  if (verdict.ok() || type.is_pointer) return verdict;
  for (const uint64_t mask : tag_masks_) {
    const uint64_t tag = before & mask;
    if (tag == 0 || tag != (after & mask)) continue;
    WordVerdict address = CheckAddress(before & ~mask, after & ~mask, type);
    if (address.ok()) return address;
  }
  return verdict;
}

WordVerdict WordMatch::CheckKept(uint64_t before, uint64_t after) const {
  const uint64_t flags = before & kLowBits;
  const Account::Object* object = flags == 0 ? nullptr : ObjectOf(before - flags);
  if (object == nullptr) return Check(before, after, {});
  const LayoutMatch& layout = LayoutOf(*object);
  const uint64_t offset = before - flags - object->before.begin().value();
  const bool is_one = layout.flexible || layout.before_size == 0;
  if ((is_one ? offset : offset % layout.before_size) != 0) return Check(before, after, {});
  if ((after & kLowBits) == flags) return CheckAddress(before - flags, after - flags, {});
  return {Target::kData,
          fmt::format("is {} and was {}: its flags are others", Hex(after), Hex(before))};
}

WordVerdict WordMatch::CheckAddress(uint64_t before, uint64_t after, const WordType& type) const {
  if (const Account::Module* module = ModuleOf(before)) {
    return InModule(*module, before, after, type);
  }
  if (const Account::Object* object = ObjectOf(before)) {
    return InObject(*object, before, after, type);
  }
  return Elsewhere(before, after, type);
}

WordVerdict WordMatch::InModule(const Account::Module& module, uint64_t before, uint64_t after,
                                const WordType& type) const {
  const VersionPair& versions = VersionOf(module);
  const FileAddr from(before - module.before_bias.value());
  const Function* function = versions.before().FindFunction(from);
  WordVerdict verdict{function != nullptr ? Target::kCode : Target::kData, ""};
  if (!type.is_pointer && IsCopied(versions, from, before, after)) return verdict;
  if (!Holds(module.after, after)) {
    verdict.wrong = fmt::format("points to {}, which is outside of the new version, instead of {}",
                                Hex(after), NameOf(versions.before(), from));
    return verdict;
  }
  const FileAddr to(after - module.after_bias.value());
  const Variable* variable = versions.before().FindVariable(from);
  // What has no type may be anything that only looks like a pointer: it moves along, as it is.
  if (!type.is_pointer && to == from) return verdict;
  bool same = false;
  if (function != nullptr) {
    same = InFunction(versions, *function, from, to, type, verdict.wrong);
  } else if (variable != nullptr) {
    same = InVariable(versions, *variable, from, to, type);
    // Constants that only the old version has are kept behind the new one.
    same = same || (versions.Counterpart(*variable) == nullptr && SameText(versions, from, after));
  } else {
    const Variable* ended = versions.before().FindVariable(from - 1);
    same = to == from || versions.SameName(from, to) || SameText(versions, from, after) ||
           (ended != nullptr && InVariable(versions, *ended, from, to, type));
  }
  if (!same && verdict.wrong.empty()) {
    verdict.wrong = fmt::format("points to {} instead of {}", NameOf(versions.after(), to),
                                NameOf(versions.before(), from));
  }
  return verdict;
}

bool WordMatch::InFunction(const VersionPair& versions, const Function& function, FileAddr before,
                           FileAddr after, const WordType& type, std::string& wrong) const {
  if (function.range.begin() != before) {
    // Inside of it: an instruction, or what only looks like a pointer and moved along.
    const Function* now = versions.after().FindFunction(after - 1);
    return after == before || (now != nullptr && now->name == function.name);
  }
  const Function* now = versions.after().FindFunction(after);
  const bool is_entry = now != nullptr && now->range.begin() == after;
  if (!is_entry) return false;
  if (now->name != function.name && !versions.SameName(before, after)) return false;
  const bool typed = type.owner == &versions && function.type != 0 && now->type != 0 &&
                     IsFunctionType(versions.before().types(), type.before) &&
                     IsFunctionType(versions.after().types(), type.after);
  if (!typed || !Compatible(versions.before().types(), type.before, function.type) ||
      Compatible(versions.after().types(), type.after, now->type)) {
    return true;
  }
  wrong = fmt::format("points to `{}`, which takes other parameters than the new version passes",
                      now->name);
  return false;
}

bool WordMatch::InVariable(const VersionPair& versions, const Variable& variable, FileAddr before,
                           FileAddr after, const WordType& type) const {
  const Variable* now = versions.Counterpart(variable);
  if (now == nullptr || after < now->range.begin() || now->range.end() < after) return false;
  const uint64_t from = before - variable.range.begin();
  const uint64_t to = after - now->range.begin();
  const bool is_table = variable.name.starts_with("_ZTV");  // new functions move its parts
  if (is_table) return to % sizeof(uint64_t) == 0;
  if (variable.type == 0 || now->type == 0) return from == to;
  const TypeId pointee = type.owner == &versions ? type.before : 0;
  const auto places = MatchPlace(versions.layouts().Get(variable.type, now->type), from, pointee);
  // Where nothing begins or ends, no pointer points: what looks like one moved along.
  if (places.empty()) return after == before;
  return std::ranges::find(places, to, &PlaceMatch::offset) != places.end();
}

// A text that ends in the word ends as before, and a pointer points to the same text.
bool WordMatch::IsCopied(const VersionPair& versions, FileAddr before_file, uint64_t before,
                         uint64_t after) const {
  const auto holds = [&](const Range<Addr>& copy) { return copy.Contains(Addr(after)); };
  return std::ranges::any_of(account_.constant_copies, holds) &&
         static_cast<uint32_t>(before) == static_cast<uint32_t>(after) &&
         SameText(versions, before_file, after);
}

bool WordMatch::SameText(const VersionPair& versions, FileAddr before, uint64_t after) const {
  const std::string_view text = TextOf(versions.before().Contents(before));
  if (text.empty()) return true;  // tables without names, which nothing says more of
  std::string now(text.size() + 1, '\0');
  if (!after_.Read(Addr(after), std::as_writable_bytes(std::span(now)))) return false;
  return std::string_view(now).substr(0, text.size()) == text && now.back() == '\0';
}

WordVerdict WordMatch::InObject(const Account::Object& object, uint64_t before, uint64_t after,
                                const WordType& type) const {
  const LayoutMatch& layout = LayoutOf(object);
  const VersionPair& versions = VersionOf(account_.modules[object.module]);
  const TypeId pointee = type.owner == &versions ? type.before : 0;
  uint64_t offset = before - object.before.begin().value();
  uint64_t skipped = 0;
  if (!layout.flexible && layout.before_size != 0) {
    skipped = offset / layout.before_size * layout.after_size;
    offset %= layout.before_size;
  }
  const Addr begin = object.after + skipped;
  // Most pointers are to the beginning.
  const bool means_all = pointee == 0 || pointee == layout.before;
  if (offset == 0 && means_all && Addr(after) == begin) return {Target::kData, ""};
  const std::vector<PlaceMatch> places = MatchPlace(layout, offset, pointee);
  for (const PlaceMatch& place : places) {
    if (Addr(after) == begin + place.offset) return {Target::kData, ""};
  }
  // Where nothing begins or ends, no pointer points.
  const bool nowhere = std::ranges::all_of(places, &PlaceMatch::inside);
  if (nowhere && pointee == 0 && before == after) return {Target::kData, ""};
  return {Target::kData,
          fmt::format("points to {} instead of what was at offset {} of the {} that was at {}",
                      Hex(after), before - object.before.begin().value(),
                      versions.before().types().Describe(object.before_type),
                      Hex(object.before.begin()))};
}

// Into what is somewhere else, but the same. nullopt: it is not.
std::optional<WordVerdict> WordMatch::InRun(uint64_t before, uint64_t after) const {
  const auto& runs = account_.runs;
  auto run = std::ranges::upper_bound(runs, Addr(before), {},
                                      [](const Account::Run& each) { return each.before.begin(); });
  std::optional<WordVerdict> verdict;
  constexpr int kMostInOne = 8;  // places of their own in a longer run
  for (int i = 0; i < kMostInOne && run != runs.begin(); ++i) {
    --run;
    if (!run->before.Contains(Addr(before))) continue;
    const Addr expected = run->after + (Addr(before) - run->before.begin());
    if (expected == Addr(after)) return WordVerdict{Target::kData, ""};
    verdict = {Target::kData, fmt::format("is {} instead of {}", Hex(after), Hex(expected))};
  }
  return verdict;
}

WordVerdict WordMatch::Elsewhere(uint64_t before, uint64_t after, const WordType& type) const {
  if (const auto verdict = InRun(before, after)) return *verdict;
  if (before != after) {
    const auto moved_within = [&](const Range<Addr>& place) {
      return Holds(place, before) && Holds(place, after);
    };
    if (std::ranges::any_of(account_.laid_out_anew, moved_within)) return {Target::kData, ""};
    // One past the end of a module is as well the start of what follows.
    for (const Account::Module& module : account_.modules) {
      if (module.before.end() == Addr(before)) return InModule(module, before, after, type);
    }
    return {Target::kNone, fmt::format("is {} and was {}", Hex(after), Hex(before))};
  }
  if (!type.is_pointer || before == 0 || type.before == 0 || type.after == 0) return {};
  const TypeTable& types = type.owner->before().types();
  const bool is_record = types[type.before].kind == TypeKind::kStruct;
  if (!is_record || types[type.before].is_declaration) return {Target::kData, ""};
  if (type.owner->layouts().Get(type.before, type.after).same) return {Target::kData, ""};
  const HeapChunk* chunk = heap_.Find(Addr(after));
  if (chunk == nullptr || !chunk->in_use) return {Target::kData, ""};
  return {Target::kData, fmt::format("points to a {} at {} that has the old version's layout",
                                     types.Describe(type.before), Hex(after))};
}

WordVerdict WordMatch::CheckReturn(uint64_t before, uint64_t after) const {
  const Account::Module* module = ModuleOf(before);
  if (module == nullptr) return Elsewhere(before, after, {});
  const VersionPair& versions = VersionOf(*module);
  const FileAddr from(before - module->before_bias.value());
  const FileAddr to(after - module->after_bias.value());
  const Function* ours = versions.before().FindFunction(from - 1);
  const Function* theirs = versions.after().FindFunction(to - 1);
  const bool same = Holds(module->after, after) && ours != nullptr && theirs != nullptr &&
                    ours->name == theirs->name;
  if (same) {
    const uint64_t offset = to - theirs->range.begin();
    const auto code = versions.after().Contents(theirs->range.begin());
    if (offset <= code.size() && EndsWithCall(code.first(offset))) return {Target::kCode, ""};
  }
  return {Target::kCode,
          fmt::format("returns to {} instead of {}, or not behind a call",
                      NameOf(versions.after(), to), NameOf(versions.before(), from))};
}

}  // namespace mcr::mutator
