#include "mutator/merge/process_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "mutator/graph/memory_scan.h"
#include "mutator/graph/red_zone.h"
#include "mutator/graph/text_owner.h"
#include "mutator/merge/object_tables.h"
#include "mutator/merge/pointer_report.h"
#include "mutator/merge/start_witness.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

}  // namespace

ProcessMerge::ProcessMerge(Context context, checkpoint::ProcessGraft& graft, MergePlan& plan)
    : context_(context),
      take_over_({context.modules, context.live, context.next, context.next_to_live, context.guard,
                  context.moves, context.start_allocations}),
      graft_(graft),
      plan_(plan) {
  for (const checkpoint::ThreadImage& thread : context_.live.threads()) {
    const Addr pointer(thread.registers.rsp);
    const Mapping* mapping = FindMapping(context_.live.mappings(), pointer);
    if (mapping == nullptr) continue;
    stacks_.push_back({mapping->range, pointer, thread.return_slots, thread.tid});
  }
}

void ProcessMerge::Refuse(const std::string& holder, uint64_t target,
                          const Translation& translation) {
  plan_.problems.push_back(
      Refusal(context_.live.pid(), holder, *context_.modules.Of(target), target, translation));
}

bool ProcessMerge::Write(const LikelyPointer& pointer, const ChangedModule& module,
                         const Translation& translation) {
  if (translation.kind == PointerKind::kNone) return false;
  const uint64_t value = module.InNew(translation.to);
  graft_.writes.AddWord(pointer.at, pointer.mangled ? context_.guard.Mangle(value) : value);
  Count(translation.kind, plan_.pointers);
  ++plan_.pointers.likely;
  if (pointer.mangled) ++plan_.pointers.mangled;
  // Not the names that the loader's tables point to.
  const Section* section = module.before().FindSection(module.InOld(pointer.target));
  const bool is_literal = translation.kind == PointerKind::kLiteral && section != nullptr &&
                          section->name.starts_with(".rodata");
  const bool is_data = translation.kind == PointerKind::kVariable || is_literal;
  // A stack and a library's own data are no allocator's memory.
  const bool is_allocated =
      StackAt(pointer.at) == nullptr && context_.live_modules.At(pointer.at) == nullptr;
  if (is_data && is_allocated && !pointer.mangled) guesses_.push_back({pointer.at, pointer.target});
  return true;
}

Status ProcessMerge::MergeMemory() {
  // First: what else is written to a stack goes on top.
  MCR_TRY(take_over_.Rebuild(graft_));
  scanned_ = ScannedOutside(context_.live, context_.modules.old_ranges());
  for (const Mapping& mapping : scanned_) {
    // Without registers (a dry run) nobody knows which words of the stack are alive.
    if (stacks_.empty() && mapping.path == "[stack]") continue;
    const bool is_fresh = mapping.shared && context_.fresh.Holds(mapping.range.begin());
    if (is_fresh) context_.from_next.push_back(mapping.range);
    if (mapping.shared && !context_.shared.Claim(mapping)) continue;
    if (is_fresh) {
      MCR_TRY(context_.fresh.Write(mapping.range, context_.next_to_live, graft_));
      plan_.warnings.push_back(
          fmt::format("the {} KiB at {} that processes share are as the new version's start leaves "
                      "them: what the server had put there is forgotten",
                      mapping.range.size() >> 10, Hex(mapping.range.begin())));
      continue;
    }
    MCR_ASSIGN(const auto pointers,
               ScanMapping(context_.live, mapping, context_.modules.old_ranges(), context_.guard,
                           context_.memo));
    for (const LikelyPointer& pointer : pointers) Retarget(mapping, pointer);
  }
  MCR_TRY(JudgeDoubtful());
  for (const auto& [mapping, pointer] : unclear_) Settle(*mapping, pointer);
  MCR_TRY(take_over_.Retarget(graft_.writes));
  plan_.rebuilt_frames += take_over_.rebuilt_frames();
  std::ranges::copy(take_over_.problems(), std::back_inserter(plan_.problems));
  return {};
}

const ProcessMerge::Stack* ProcessMerge::StackAt(Addr at) const {
  auto found =
      std::ranges::find_if(stacks_, [&](const Stack& stack) { return stack.range.Contains(at); });
  return found == stacks_.end() ? nullptr : &*found;
}

void ProcessMerge::Retarget(const Mapping& mapping, const LikelyPointer& pointer) {
  const ChangedModule* module = context_.modules.Of(pointer.target);
  if (module == nullptr || IsLoaderState(pointer.at)) return;
  if (const Stack* stack = StackAt(pointer.at)) return RetargetOnStack(*stack, pointer);
  const RelaidMemory* relaid = context_.moves.relaid();
  if (relaid != nullptr && relaid->Holds(pointer.at)) return Shift(pointer, *module);
  const FileAddr target = module->InOld(pointer.target);
  const Translation& translation = module->map().Translate(target);
  if (const auto verdict = JudgePlace(pointer, translation)) {
    return Conclude(mapping, pointer, *verdict);
  }
  const TextEvidence text = TextBefore(mapping, pointer);
  const bool needs_owner = text.tail == TextTail::kUnknown &&
                           translation.kind != PointerKind::kFunction &&
                           !SameAsShifted(pointer, *module, translation);
  if (needs_owner) {
    doubtful_.push_back({&mapping, pointer, text.run});
  } else {
    Conclude(mapping, pointer, Judge(pointer, *module, translation, text));
  }
}

void ProcessMerge::Conclude(const Mapping& mapping, const LikelyPointer& pointer, Verdict verdict) {
  const ChangedModule& module = *context_.modules.Of(pointer.target);
  const FileAddr target = module.InOld(pointer.target);
  const Translation& translation = module.map().Translate(target);
  switch (verdict) {
    case Verdict::kPointer:
      module.known->Add(target);
      if (Write(pointer, module, translation) || RetargetToLibrary(pointer) ||
          RetargetLikeNext(pointer, module) || LeaveCopy(pointer, module)) {
        return;
      }
      if (context_.start_heap.Replaces(pointer.at)) return Shift(pointer, module);
      // One past the last byte is as well the first byte of whatever follows.
      if (!module.live.range.Contains(Addr(pointer.target))) return;
      return Refuse(WordIn(mapping, pointer.at), pointer.target, translation);
    case Verdict::kRemains:
      return Shift(pointer, module);
    case Verdict::kUnclear:
      unclear_.emplace_back(&mapping, pointer);
  }
}

// All words at once whose text's length only its owner may know: each search goes through all
// memory.
Status ProcessMerge::JudgeDoubtful() {
  std::vector<Range<Addr>> texts;
  for (const Doubtful& word : doubtful_) {
    texts.push_back(*Range<Addr>::FromTo(word.pointer.at - word.run, word.pointer.at));
  }
  MCR_ASSIGN(const std::vector<TextEvidence> owners, FindTextOwners(context_.live, texts));
  for (size_t i = 0; i < doubtful_.size(); ++i) {
    const LikelyPointer& pointer = doubtful_[i].pointer;
    const ChangedModule& module = *context_.modules.Of(pointer.target);
    const Translation& translation = module.map().Translate(module.InOld(pointer.target));
    Conclude(*doubtful_[i].mapping, pointer, Judge(pointer, module, translation, owners[i]));
  }
  return {};
}

// A word that is not clear by itself, when everything that is has been seen.
void ProcessMerge::Settle(const Mapping& mapping, const LikelyPointer& pointer) {
  const ChangedModule& module = *context_.modules.Of(pointer.target);
  const FileAddr target = module.InOld(pointer.target);
  const Translation& translation = module.map().Translate(target);
  if (module.known->Contains(target) && Write(pointer, module, translation)) return;
  // Each process has its own copies of constants, but only one writes to shared memory.
  if (translation.kind == PointerKind::kLiteral && !mapping.shared) {
    if (const auto copied = context_.constant_copies.Redirect(module, pointer.target)) {
      graft_.writes.AddWord(pointer.at, *copied);
      ++plan_.pointers.undecided;
      return;
    }
  }
  Translation unclear;
  unclear.problem =
      "it may as well be the end of a text, and nothing says which (memory changes: try again)";
  ++plan_.passing_problems;
  Refuse(WordIn(mapping, pointer.at), pointer.target, unclear);
}

// Allocators hand out memory that still holds old pointers, and programs write only part of it:
// characters of a text, flags, small numbers over the lower bytes. What is left looks like a
// pointer to a place near the old one. The verdict, if the place that it points to settles it.
std::optional<ProcessMerge::Verdict> ProcessMerge::JudgePlace(
    const LikelyPointer& pointer, const Translation& translation) const {
  if (pointer.mangled) return Verdict::kPointer;
  // Libraries' own data is not memory of an allocator.
  if (context_.live_modules.At(pointer.at) != nullptr) return Verdict::kPointer;
  // Literals are the exception: linkers make one the tail of another, and programs point into them.
  const bool may_be_inexact = translation.kind == PointerKind::kLiteral && pointer.aligned();
  if (!translation.exact && !may_be_inexact) return Verdict::kRemains;
  return std::nullopt;
}

ProcessMerge::Verdict ProcessMerge::Judge(const LikelyPointer& pointer, const ChangedModule& module,
                                          const Translation& translation,
                                          const TextEvidence& text) {
  if (text.tail == TextTail::kCovers) return Verdict::kRemains;
  if (text.tail != TextTail::kUnknown) return Verdict::kPointer;
  if (!translation.exact || translation.inside_text || !text.referenced) return Verdict::kRemains;
  // Few of the addresses that a text's last characters can make are the entry of a function.
  const bool is_entry = translation.kind == PointerKind::kFunction;
  return is_entry || SameAsShifted(pointer, module, translation) ? Verdict::kPointer
                                                                 : Verdict::kUnclear;
}

// Whether it makes no difference if the word is a pointer.
bool ProcessMerge::SameAsShifted(const LikelyPointer& pointer, const ChangedModule& module,
                                 const Translation& translation) {
  return translation.kind != PointerKind::kNone &&
         module.InNew(translation.to) == module.Shifted(pointer.target);
}

// The new version is a multiple of kPlaceStep away from the old one: the lower half of the word,
// where the text, flags or number are, stays as it is.
void ProcessMerge::Shift(const LikelyPointer& pointer, const ChangedModule& module) {
  if (!module.live.range.Contains(Addr(pointer.target))) return;
  const uint64_t value = module.Shifted(pointer.target);
  graft_.writes.AddWord(pointer.at, pointer.mangled ? context_.guard.Mangle(value) : value);
  ++plan_.pointers.shifted;
}

TextEvidence ProcessMerge::TextBefore(const Mapping& mapping, const LikelyPointer& pointer) const {
  if (!pointer.may_be_text) return {};
  const uint64_t context = std::min(kTextContext, pointer.at - mapping.range.begin());
  std::vector<std::byte> bytes(context + kWord);
  if (!context_.live.Read(pointer.at - context, bytes)) return {};
  TextEvidence text = ExamineText(std::span(bytes).first(context), std::span(bytes).last(kWord));
  if (text.tail == TextTail::kUnknown && context_.base != nullptr) {
    const auto before = *Range<Addr>::FromTo(pointer.at - text.run, pointer.at);
    text.tail = AskStarts(*context_.base, context_.live, pointer, before);
  }
  return text;
}

std::string ProcessMerge::WordIn(const Mapping& mapping, Addr at) {
  return fmt::format("the word at {} in {}", Hex(at),
                     mapping.path.empty() ? "anonymous memory" : mapping.path);
}

// A library's own data, at the same place in the rehearsal: what the new version's start-up left
// there.
bool ProcessMerge::RetargetLikeNext(const LikelyPointer& pointer, const ChangedModule& target) {
  const LoadedModule* module = context_.live_modules.At(pointer.at);
  if (module == nullptr || pointer.mangled) return false;
  const LoadedModule* same = context_.next_modules.ByPath(module->path);
  if (same == nullptr) return false;
  const auto word =
      context_.next.ReadValue<uint64_t>(same->range.begin() + (pointer.at - module->range.begin()));
  if (!word) return false;
  const ImageMap::Word translated = context_.next_to_live.Translate(*word);
  const auto& to = target.new_range;
  const Addr value(translated.value);
  if (translated.kind != ImageMap::Kind::kPointer || value < to.begin() || to.end() < value) {
    return false;
  }
  graft_.writes.AddWord(pointer.at, translated.value);
  context_.from_next.push_back(*Range<Addr>::FromSize(pointer.at, kWord));
  Count(PointerKind::kLayout, plan_.pointers);
  ++plan_.pointers.likely;
  return true;
}

bool ProcessMerge::RetargetToLibrary(const LikelyPointer& pointer) {
  const auto home = context_.copied.Home(pointer.target);
  if (!home || pointer.mangled) return false;
  graft_.writes.AddWord(pointer.at, *home);
  context_.from_next.push_back(*Range<Addr>::FromSize(pointer.at, kWord));
  Count(PointerKind::kVariable, plan_.pointers);
  ++plan_.pointers.likely;
  return true;
}

// A library that the new version has no use for stays loaded. A variable of the program's that it
// refers to is left to it as it is.
bool ProcessMerge::LeaveCopy(const LikelyPointer& pointer, const ChangedModule& target) {
  const LoadedModule* holder = context_.live_modules.At(pointer.at);
  const Variable* variable = target.before().FindVariable(target.InOld(pointer.target));
  if (holder == nullptr || variable == nullptr || pointer.mangled) return false;
  if (context_.next_modules.ByPath(holder->path) != nullptr) return false;
  const Addr begin = target.live.bias + variable->range.begin().value();
  auto copy = left_.find(begin);
  if (copy == left_.end()) {
    std::vector<std::byte> bytes(variable->range.size());
    if (!context_.live.Read(begin, bytes)) return false;
    std::vector<LikelyPointer> pointers;
    ScanWords(bytes, begin, context_.modules.old_ranges(), context_.guard, pointers);
    if (!pointers.empty()) return false;
    copy = left_.emplace(begin, context_.start_allocations.Allocate(std::move(bytes))).first;
  }
  graft_.allocated_words.push_back(
      {pointer.at, Addr(copy->second + (Addr(pointer.target) - begin))});
  context_.from_next.push_back(*Range<Addr>::FromSize(pointer.at, kWord));
  return true;
}

void ProcessMerge::RetargetOnStack(const Stack& stack, const LikelyPointer& live_pointer) {
  const auto place = take_over_.Place(live_pointer.at);
  if (!place || take_over_.Refused(stack.tid)) return;
  LikelyPointer pointer = live_pointer;
  pointer.at = *place;
  const ChangedModule& module = *context_.modules.Of(pointer.target);
  const FileAddr target = module.InOld(pointer.target);
  const bool dead = live_pointer.at + kWord + kRedZone <= stack.pointer;
  if (std::ranges::binary_search(stack.return_slots, live_pointer.at)) {
    const Translation& translation = module.map().TranslateReturnAddress(target);
    if (translation.kind == PointerKind::kNone) {
      Refuse(fmt::format("a call on the stack of thread {}", stack.tid), pointer.target,
             translation);
      return;
    }
    graft_.writes.AddWord(pointer.at, module.InNew(translation.to));
    Count(PointerKind::kInstruction, plan_.pointers);
    ++plan_.pointers.precise;
    return;
  }
  const Translation& translation = module.map().Translate(target);
  // No object of C holds an address inside a function: such a word is what is left of an earlier
  // call.
  const Function* function = module.before().FindFunction(target);
  const bool stale = function != nullptr && function->range.begin() != target;
  if (dead || stale || (!translation.exact && !pointer.aligned())) return Shift(pointer, module);
  if (Write(pointer, module, translation)) return;
  if (!translation.exact) return Shift(pointer, module);
  Refuse(fmt::format("the word at {} on the stack of thread {}", Hex(live_pointer.at), stack.tid),
         pointer.target, translation);
}

Status ProcessMerge::MergeLinkMaps() {
  if (context_.live_links.empty() && context_.next_links.empty()) return {};
  for (const ChangedModule& module : context_.modules.all()) {
    const auto ours = context_.live_links.Of(module.live);
    const auto theirs = context_.next_links.Of(module.next);
    if (!ours || !theirs || ours->size() != theirs->size()) {
      plan_.problems.push_back("the dynamic loader's record of " + module.live.path +
                               " was not found");
      continue;
    }
    loader_state_.push_back(*ours);
    context_.from_next.push_back(*ours);
    MCR_TRY(MergeLinkMap(module, *ours, *theirs));
  }
  return {};
}

Status ProcessMerge::MergeLinkMap(const ChangedModule& module, Range<Addr> live, Range<Addr> next) {
  bool behind_own = false;  // behind a pointer to memory that the server keeps
  for (uint64_t at = 0; at + kWord <= live.size(); at += kWord) {
    MCR_ASSIGN(const auto ours, context_.live.ReadValue<uint64_t>(live.begin() + at));
    MCR_ASSIGN(const auto theirs, context_.next.ReadValue<uint64_t>(next.begin() + at));
    const ImageMap::Word wanted = context_.next_to_live.Translate(theirs);
    if (wanted.kind == ImageMap::Kind::kForeign) {
      behind_own = !MergeVersions(module, live.begin() + at, ours, theirs);
      continue;
    }
    // The length of what is there, alone in its word.
    const bool is_length = behind_own && wanted.kind == ImageMap::Kind::kValue &&
                           std::max(ours, theirs) <= std::numeric_limits<uint32_t>::max();
    behind_own = false;
    if (wanted.value == ours || is_length) continue;
    // Pointers to the server's own memory and to unchanged modules are right as they are.
    const bool ours_is_elsewhere = !context_.modules.HoldOld(ours) &&
                                   FindMapping(context_.live.mappings(), Addr(ours)) != nullptr;
    if (ours_is_elsewhere) continue;
    graft_.writes.AddWord(live.begin() + at, wanted.value);
    Count(PointerKind::kLayout, plan_.pointers);
    ++plan_.pointers.precise;
  }
  return {};
}

// False if the words do not point to tables of versions.
bool ProcessMerge::MergeVersions(const ChangedModule& module, Addr word, uint64_t live,
                                 uint64_t next) {
  const auto ours = FindVersionTable(context_.live, Addr(live), module.live.range);
  if (!ours) return false;
  const auto theirs = FindVersionTable(context_.next, Addr(next), module.next.range);
  if (!theirs) return false;
  if (!SameVersions(*ours, *theirs)) BringVersions(word, *ours, *theirs);
  return true;
}

// Into the table that `word` points to, or a longer one.
void ProcessMerge::BringVersions(Addr word, const VersionTable& live, const VersionTable& next) {
  std::vector<VersionEntry> entries = next.entries;
  for (VersionEntry& entry : entries) {
    entry.name = context_.next_to_live.Translate(entry.name).value;
    entry.file = context_.next_to_live.Translate(entry.file).value;
  }
  loader_state_.push_back(live.range());
  context_.from_next.push_back(live.range());
  if (entries.size() > live.entries.size()) {
    const auto bytes = std::as_bytes(std::span(entries));
    const uint64_t elsewhere = context_.start_allocations.Allocate({bytes.begin(), bytes.end()});
    graft_.allocated_words.push_back({word, Addr(elsewhere)});
    entries.clear();
  }
  entries.resize(live.entries.size());
  graft_.writes.Add(live.at, std::as_bytes(std::span(entries)));
}

bool ProcessMerge::IsLoaderState(Addr at) const {
  return std::ranges::any_of(loader_state_,
                             [&](const Range<Addr>& range) { return range.Contains(at); });
}

Status ProcessMerge::MergeObjectTables() {
  MCR_ASSIGN(ObjectTables live,
             ObjectTables::Find(context_.live, context_.live_modules, context_.live_links));
  if (!live.exist()) return {};
  for (const ChangedModule& module : context_.modules.all()) {
    const auto ours = context_.live_links.Of(module.live);
    const auto theirs = context_.next_links.Of(module.next);
    if (!ours || !theirs) continue;
    // A program in one piece is not in them, but in a variable of the loader.
    if (module.versions->is_program && live.Of(ours->begin()).empty()) continue;
    if (!context_.next_tables) return tl::make_unexpected(context_.next_tables.error());
    std::vector<ObjectRecord> records = context_.next_tables->Of(theirs->begin());
    for (ObjectRecord& record : records) {
      for (uint64_t* word : {&record.begin, &record.end, &record.unwind}) {
        if (*word != 0) *word += module.new_bias().value() - module.next.bias.value();
      }
      record.link_map = ours->begin().value();
      Count(PointerKind::kLayout, plan_.pointers);
    }
    if (!records.empty() && live.Exchange(ours->begin(), records)) continue;
    plan_.problems.push_back("the dynamic loader's record of where " + module.live.path +
                             " is was not found");
  }
  live.Write(graft_.writes);
  std::ranges::copy(live.ranges(), std::back_inserter(loader_state_));
  std::ranges::copy(live.ranges(), std::back_inserter(context_.from_next));
  return {};
}

void ProcessMerge::MergeThreads() {
  for (const checkpoint::ThreadImage& thread : context_.live.threads()) RetargetRegisters(thread);
}

void ProcessMerge::RetargetRegisters(const checkpoint::ThreadImage& thread) {
  user_regs_struct registers = take_over_.Registers(thread);
  struct Register {
    const char* name;
    unsigned long long user_regs_struct::* field;
    bool live;  // across a system call: callee-saved, or an argument of the call itself
  };
  static constexpr Register kRegisters[] = {
      {"rax", &user_regs_struct::rax, false}, {"rbx", &user_regs_struct::rbx, true},
      {"rcx", &user_regs_struct::rcx, false}, {"rdx", &user_regs_struct::rdx, true},
      {"rsi", &user_regs_struct::rsi, true},  {"rdi", &user_regs_struct::rdi, true},
      {"rbp", &user_regs_struct::rbp, true},  {"r8", &user_regs_struct::r8, true},
      {"r9", &user_regs_struct::r9, true},    {"r10", &user_regs_struct::r10, true},
      {"r11", &user_regs_struct::r11, false}, {"r12", &user_regs_struct::r12, true},
      {"r13", &user_regs_struct::r13, true},  {"r14", &user_regs_struct::r14, true},
      {"r15", &user_regs_struct::r15, true},  {"rip", &user_regs_struct::rip, true},
  };
  bool changed = std::memcmp(&registers, &thread.registers, sizeof registers) != 0;
  for (const Register& entry : kRegisters) {
    auto& value = registers.*entry.field;
    if (!context_.modules.HoldOld(value)) continue;
    const ChangedModule& module = *context_.modules.Of(value);
    const Translation& translation = module.map().Translate(module.InOld(value));
    if (translation.kind == PointerKind::kNone) {
      if (entry.live) {
        Refuse(fmt::format("register {} of thread {}", entry.name, thread.tid), value, translation);
      }
      continue;
    }
    value = module.InNew(translation.to);
    Count(translation.kind, plan_.pointers);
    ++plan_.pointers.precise;
    changed = true;
  }
  if (changed) graft_.registers.push_back({thread.tid, registers});
}

// What /proc/PID/stat and the auxiliary vector say of the program (elf(5), getauxval(3)).
void ProcessMerge::MergeLayout() {
  const auto program =
      std::ranges::find_if(context_.modules.all(),
                           [](const ChangedModule& module) { return module.versions->is_program; });
  if (program == context_.modules.all().end()) return;
  graft_.layout = context_.live.layout();
  for (const Segment& segment : program->after().segments()) {
    const Addr begin = program->new_bias() + segment.range.begin().value();
    if (segment.executable) {
      graft_.layout.start_code = begin;
      graft_.layout.end_code = begin + segment.file_size;
    } else if (segment.writable) {
      graft_.layout.start_data = begin;
      graft_.layout.end_data = begin + segment.file_size;
    }
  }
  std::vector<LikelyPointer> pointers;
  ScanWords(graft_.layout.auxv, Addr(), std::span(&program->live.range, 1), context_.guard,
            pointers);
  for (const LikelyPointer& pointer : pointers) {
    const Translation& translation = program->map().Translate(program->InOld(pointer.target));
    if (translation.kind == PointerKind::kNone || !pointer.aligned()) continue;
    const uint64_t value = program->InNew(translation.to);
    std::ranges::copy(std::as_bytes(std::span(&value, 1)),
                      graft_.layout.auxv.begin() + static_cast<ptrdiff_t>(pointer.at.value()));
  }
}

}  // namespace mcr::mutator
