#include "mutator/merge/thread_local_pointers.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "mutator/graph/memory_scan.h"
#include "mutator/graph/thread_local_relocations.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kRedZone = 128;  // System V ABI for x86-64, 3.2.2

}  // namespace

uint64_t ThreadLocalPointers::Translate(uint64_t word, const std::string& holder) {
  const ThreadLocalPlaces::Thread* thread = places_.ThreadAt(Addr(word));
  if (thread == nullptr) return word;
  const auto distance = places_.NewDistance(thread->control_block - Addr(word));
  if (distance) return thread->control_block.value() - *distance;
  plan_.problems.push_back(
      fmt::format("process {}: {} points to a thread-local variable of thread {} that the new "
                  "version does not have",
                  context_.live.pid(), holder, thread->image->tid));
  return word;
}

// What is written last to a place counts.
void ThreadLocalPointers::MoveWritten() {
  std::map<Addr, uint64_t> found;
  for (const checkpoint::WriteList::Entry& entry : graft_.writes.entries()) {
    const auto bytes = graft_.writes.bytes(entry);
    const size_t first = (kWord - entry.at.value() % kWord) % kWord;
    for (size_t at = first; at + kWord <= bytes.size(); at += kWord) {
      const Addr place = entry.at + at;
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, kWord);
      if (places_.ThreadAt(Addr(word)) != nullptr && places_.ThreadAt(place) == nullptr) {
        found[place] = word;
      } else if (!found.empty()) {
        found.erase(place);
      }
    }
  }
  for (const auto& [place, word] : found) {
    graft_.writes.AddWord(place, Translate(word, fmt::format("the word at {}", Hex(place))));
  }
}

Status ThreadLocalPointers::Move() {
  MCR_TRY(MoveDistances());
  MCR_TRY(MoveMemory());
  for (const auto& thread : places_.threads()) {
    MoveRegisters(*thread.image);
    MCR_TRY(RefuseHeldDistances(*thread.image));
  }
  return {};
}

// Those of changed modules are the new version's start-up's already.
Status ThreadLocalPointers::MoveDistances() {
  if (!places_.used_slot().IsNull()) {
    graft_.writes.AddWord(places_.used_slot(), places_.after().used());
  }
  for (const ThreadLocalPlaces::BlockPair& pair : places_.pairs()) {
    if (pair.module != nullptr) continue;
    graft_.writes.AddWord(pair.before->distance_slot, pair.after->distance);
  }
  for (const LoadedModule& module : context_.live_modules.all()) {
    const bool changed = std::ranges::any_of(
        context_.modules.all(),
        [&](const ChangedModule& each) { return each.live.range == module.range; });
    if (!changed) MCR_TRY(MoveDistancesOf(module));
  }
  return {};
}

// The words of its global offset table that hold one, as a negative number.
Status ThreadLocalPointers::MoveDistancesOf(const LoadedModule& module) {
  const auto refuse = [&](const std::string& what) {
    plan_.problems.push_back(fmt::format("process {}: thread-local variables change, and {} {}",
                                         context_.live.pid(), module.path, what));
  };
  for (const ThreadLocalRelocation& relocation :
       FindThreadLocalRelocations(context_.live, module)) {
    if (relocation.type == R_X86_64_TLSDESC) {
      refuse("finds its own in a way that mcr does not know (TLS descriptors)");
      return {};
    }
    MCR_ASSIGN(const uint64_t word, context_.live.ReadValue<uint64_t>(relocation.at));
    if (const auto distance = places_.NewDistance(-word)) {
      graft_.writes.AddWord(relocation.at, -*distance);
      if (-*distance != word) moved_distances_.insert(word);
    } else {
      refuse("uses one that the new version does not have");
    }
  }
  return {};
}

Status ThreadLocalPointers::MoveMemory() {
  std::vector<Range<Addr>> targets;
  for (const auto& thread : places_.threads()) targets.push_back(thread.blocks);
  for (const Mapping& mapping : ScannedOutside(context_.live, context_.modules.old_ranges())) {
    if (!mapping.writable) continue;
    MCR_ASSIGN(const auto pointers, ScanMapping(context_.live, mapping, targets, PointerGuard(0)));
    for (const LikelyPointer& pointer : pointers) MoveWord(mapping, pointer);
  }
  return {};
}

void ThreadLocalPointers::MoveWord(const Mapping& mapping, const LikelyPointer& pointer) {
  const bool counts = pointer.aligned() && !pointer.mangled;
  // The blocks themselves are written as a whole.
  if (!counts || places_.ThreadAt(pointer.at) != nullptr || IsDead(mapping, pointer.at)) return;
  const std::optional<Addr> place = context_.stacks.Place(pointer.at);
  if (!place || context_.moves.Find(pointer.at) != nullptr) return;
  const uint64_t word = Translate(pointer.target, fmt::format("the word at {}", Hex(pointer.at)));
  if (word == pointer.target) return;
  graft_.writes.AddWord(*place, word);
  ++plan_.pointers.likely;
}

// Below a stack's end.
bool ThreadLocalPointers::IsDead(const Mapping& mapping, Addr at) const {
  return std::ranges::any_of(places_.threads(), [&](const ThreadLocalPlaces::Thread& thread) {
    const Addr top(thread.image->registers.rsp);
    return mapping.range.Contains(top) && at + kWord + kRedZone <= top;
  });
}

void ThreadLocalPointers::MoveRegisters(const checkpoint::ThreadImage& thread) {
  static constexpr unsigned long long user_regs_struct::* kFields[] = {
      &user_regs_struct::rbx, &user_regs_struct::rdx, &user_regs_struct::rsi,
      &user_regs_struct::rdi, &user_regs_struct::rbp, &user_regs_struct::r8,
      &user_regs_struct::r9,  &user_regs_struct::r10, &user_regs_struct::r12,
      &user_regs_struct::r13, &user_regs_struct::r14, &user_regs_struct::r15};
  const auto known =
      std::ranges::find(graft_.registers, thread.tid, &checkpoint::RegisterChange::tid);
  user_regs_struct registers =
      known == graft_.registers.end() ? thread.registers : known->registers;
  bool changed = false;
  for (const auto field : kFields) {
    const uint64_t word =
        Translate(registers.*field, fmt::format("a register of thread {}", thread.tid));
    changed |= word != registers.*field;
    registers.*field = word;
  }
  if (!changed) return;
  if (known == graft_.registers.end()) {
    graft_.registers.push_back({thread.tid, registers});
  } else {
    known->registers = registers;
  }
}

// A library's function that waits may have read one from its table before, to use it when it goes
// on: sleep(3) keeps errno that way. Such a number can be any other.
Status ThreadLocalPointers::RefuseHeldDistances(const checkpoint::ThreadImage& thread) {
  const user_regs_struct& registers = thread.registers;
  std::vector<uint64_t> held = {registers.rbx, registers.rbp, registers.r12,
                                registers.r13, registers.r14, registers.r15};
  // What called the program's own functions, and what that was called by, is the C library's start.
  const auto own = std::find_if(
      thread.frames.rbegin(), thread.frames.rend(),
      [&](const auto& frame) { return context_.modules.HoldOld(frame.instruction.value()); });
  if (own != thread.frames.rend()) {
    std::vector<uint64_t> words((own->stack_pointer - Addr(registers.rsp)) / kWord);
    MCR_TRY(context_.live.Read(Addr(registers.rsp), std::as_writable_bytes(std::span(words))));
    held.insert(held.end(), words.begin(), words.end());
  }
  if (std::ranges::any_of(held, [&](uint64_t word) { return moved_distances_.contains(word); })) {
    plan_.problems.push_back(fmt::format(
        "process {}: thread-local variables change, and a library's function on the stack of "
        "thread {} may be about to use one where it was (try again when it waits elsewhere)",
        context_.live.pid(), thread.tid));
  }
  return {};
}

}  // namespace mcr::mutator
