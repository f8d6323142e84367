#include "mutator/merge/thread_local_pointers.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "mutator/graph/memory_scan.h"
#include "mutator/graph/thread_local_relocations.h"
#include "mutator/merge/register_changes.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

}  // namespace

uint64_t ThreadLocalPointers::Translate(uint64_t word, const std::string& holder) {
  const ThreadLocalPlaces::Thread* thread = places_.ThreadAt(Addr(word));
  if (thread == nullptr) return word;
  const auto distance = places_.NewDistance(thread->control_block - Addr(word));
  if (distance) return thread->control_block.value() - *distance;
  plan_.problems.push_back(
      fmt::format("process {}: {} points to a thread-local variable of thread {} that the new "
                  "version does not have, or to one whose first member has come apart from it",
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
    WriteDistance(places_.used_slot(), places_.after().used());
  }
  for (const ThreadLocalPlaces::BlockPair& pair : places_.pairs()) {
    if (pair.module != nullptr) continue;
    WriteDistance(pair.before->distance_slot, pair.after->distance);
  }
  for (const LoadedModule& module : context_.live_modules.all()) {
    const bool changed = std::ranges::any_of(
        context_.modules.all(),
        [&](const ChangedModule& each) { return each.live.range == module.range; });
    if (!changed) MCR_TRY(MoveDistancesOf(module));
  }
  return {};
}

// As the new version's start has it.
void ThreadLocalPointers::WriteDistance(Addr at, uint64_t distance) {
  graft_.writes.AddWord(at, distance);
  account_.from_next.push_back(*Range<Addr>::FromSize(at, kWord));
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
      WriteDistance(relocation.at, -*distance);
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
    for (const LikelyPointer& pointer : pointers) MoveWord(pointer);
  }
  return {};
}

void ThreadLocalPointers::MoveWord(const LikelyPointer& pointer) {
  const bool counts = pointer.aligned() && !pointer.mangled;
  // The blocks themselves are written as a whole.
  if (!counts || places_.ThreadAt(pointer.at) != nullptr || dead_.HoldWord(pointer.at)) return;
  if (places_.IsBlockStart(pointer.at)) return MoveStart(pointer);
  const std::optional<Addr> place = context_.stacks.Place(pointer.at);
  if (!place || context_.moves.Find(pointer.at) != nullptr) return;
  const uint64_t word = Translate(pointer.target, fmt::format("the word at {}", Hex(pointer.at)));
  if (word == pointer.target) return;
  graft_.writes.AddWord(*place, word);
  ++plan_.pointers.likely;
}

// In a thread's vector: where a block begins.
void ThreadLocalPointers::MoveStart(const LikelyPointer& pointer) {
  const ThreadLocalPlaces::Thread* thread = places_.ThreadAt(Addr(pointer.target));
  if (thread == nullptr) return;
  const auto distance = places_.NewStart(thread->control_block - Addr(pointer.target));
  if (!distance) return;
  graft_.writes.AddWord(pointer.at, thread->control_block.value() - *distance);
  ++plan_.pointers.precise;
}

void ThreadLocalPointers::MoveRegisters(const checkpoint::ThreadImage& thread) {
  const std::string holder = fmt::format("a register of thread {}", thread.tid);
  ChangeRegisters(thread, graft_, [&](RegisterField, unsigned long long& value) {
    value = Translate(value, holder);
  });
}

// A library's function that waits may have read one from its table before, to use it when it goes
// on: sleep(3) keeps where errno is in a register. Such a number can be any other.
Status ThreadLocalPointers::RefuseHeldDistances(const checkpoint::ThreadImage& thread) {
  const auto& frames = thread.frames;
  const auto is_own = [&](const checkpoint::StackFrame& frame) {
    return context_.modules.HoldOld(frame.instruction.value());
  };
  const user_regs_struct& now = thread.registers;
  const uint64_t registers[] = {now.rbx, now.rbp, now.r12, now.r13, now.r14, now.r15};
  // What called the program's own functions, and what that was called by, is the C library's start.
  const auto outermost = std::find_if(frames.rbegin(), frames.rend(), is_own);
  const auto inner = static_cast<size_t>(frames.rend() - outermost);
  for (size_t i = 0; i + 1 < inner; ++i) {
    if (is_own(frames[i])) continue;
    for (size_t r = 0; r < frames[i].saved.size(); ++r) {
      // One that it has not saved is not its own.
      if (frames[i + 1].saved[r] == frames[i].saved[r]) continue;
      uint64_t word = registers[r];
      if (!frames[i].saved[r].IsNull()) {
        MCR_ASSIGN(word, context_.live.ReadValue<uint64_t>(frames[i].saved[r]));
      }
      if (!moved_distances_.contains(word)) continue;
      plan_.problems.push_back(fmt::format(
          "process {}: thread-local variables change, and a library's function on the stack of "
          "thread {} may be about to use one where it was (try again when it waits elsewhere)",
          context_.live.pid(), thread.tid));
      return {};
    }
  }
  return {};
}

}  // namespace mcr::mutator
