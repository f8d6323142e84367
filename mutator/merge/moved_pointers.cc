#include "mutator/merge/moved_pointers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "mutator/graph/dead_stacks.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/red_zone.h"
#include "mutator/merge/kernel_tables.h"
#include "mutator/merge/leaf.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/register_changes.h"
#include "mutator/merge/stack/frame_values.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

class Follower {
 public:
  Follower(const checkpoint::ProcessImage& live, const ChangedModules& modules,
           const TypedObjects& objects, const StackTakeOver& stacks,
           checkpoint::ProcessGraft& graft, Account& account, MergePlan& plan)
      : live_(live),
        modules_(modules),
        objects_(objects),
        moves_(objects.moves()),
        stacks_(stacks),
        graft_(graft),
        account_(account),
        plan_(plan),
        dead_(live) {}

  Status Memory(const Mapping& mapping) {
    return EachWord(live_, objects_.memory(), mapping.range, [&](Addr at, uint64_t word) {
      if (moves_.hull().Contains(Addr(word))) Word(mapping, at, word);
    });
  }

  void Registers(const checkpoint::ThreadImage& thread) {
    const bool rebuilt = stacks_.IsRebuilt(thread.tid);
    ChangeRegisters(thread, graft_, [&](RegisterField field, unsigned long long& value) {
      // Those of a rebuilt stack follow already.
      const bool saved = std::ranges::any_of(
          kSavedRegisters, [&](const SavedRegister& each) { return each.field == field; });
      if (rebuilt && saved) return;
      const ObjectMoves::Landing landing = moves_.Translate(thread.registers.*field, 0);
      if (landing.move == nullptr || !landing.to || *landing.to == value) return;
      value = *landing.to;
      ++plan_.pointers.precise;
    });
  }

  void Epoll(const checkpoint::EpollEntry& entry) {
    const uint64_t flags = FlagsIn(entry.data);
    const ObjectMoves::Landing landing = moves_.Translate(entry.data - flags, 0);
    if (landing.move == nullptr || landing.to == entry.data - flags) return;
    if (!landing.to) {
      return Refuse(fmt::format("the epoll entry of descriptor {}", entry.fd), landing);
    }
    checkpoint::EpollEntry after = entry;
    after.data = *landing.to + flags;
    graft_.epoll.push_back({entry, after});
    ++plan_.pointers.precise;
  }

  void Timer(const checkpoint::Timer& timer) {
    const ObjectMoves::Landing landing = moves_.Translate(timer.value, 0);
    if (landing.move == nullptr || landing.to == timer.value) return;
    const std::string holder = fmt::format("the value of timer {}", timer.id);
    if (!landing.to) return Refuse(holder, landing);
    if (const auto problem = WhyNotMadeAnew(timer)) {
      plan_.problems.push_back(fmt::format("process {}: {}", live_.pid(), *problem));
      return;
    }
    checkpoint::Timer after = timer;
    after.value = *landing.to;
    graft_.timers.push_back({timer, after});
    ++plan_.pointers.precise;
  }

  // Nothing that grows or moves is a stack.
  void SignalStack(const checkpoint::SignalStack& stack) {
    const ObjectMoves::Landing landing = moves_.Translate(stack.begin.value(), 0);
    if (landing.move == nullptr || landing.to == stack.begin.value()) return;
    Refuse(fmt::format("the stack for signal handlers of thread {}", stack.tid), landing);
  }

 private:
  // Programs put flags into the low bits of an object's address before they give it to the kernel.
  // That it would be the address of a byte in a value's first word is out of the question.
  uint64_t FlagsIn(uint64_t data) const {
    const uint64_t flags = data % kWord;
    const ObjectMove* move = flags == 0 ? nullptr : moves_.Find(Addr(data - flags));
    if (move == nullptr || move->object->recipe == nullptr) return 0;
    const Recipe& recipe = *move->object->recipe;
    const uint64_t offset = Addr(data - flags) - move->object->memory.begin();
    const bool is_one = recipe.flexible || recipe.from_size == 0;
    return (is_one ? offset : offset % recipe.from_size) == 0 ? flags : 0;
  }

  void Word(const Mapping& mapping, Addr at, uint64_t word) {
    if (moves_.Find(at) != nullptr || IsDead(at)) return;
    const std::optional<Addr> place = stacks_.Place(at);
    if (!place) return;  // in a frame that was rebuilt
    const Object* owner = objects_.TypeAt(at);
    const Leaf leaf = owner == nullptr ? Leaf{} : LeafAt(*owner, at);
    // What new objects are made in is not written to before.
    if (leaf.kind == Leaf::Kind::kCopied || objects_.IsUnused(at)) {
      return Stays(at);
    }
    if (leaf.first) return End(at, *place, word, at + static_cast<uint64_t>(*leaf.first));
    const uint64_t tag = word & leaf.tag_mask;
    word -= tag;
    const ObjectMoves::Landing landing = moves_.Translate(word, leaf.pointee);
    if (landing.move == nullptr || IsMallocs(at, word)) return;
    if (landing.to == word) {
      if (leaf.kind != Leaf::Kind::kPointer) ++plan_.pointers.pinned;
      return;
    }
    const std::string holder = fmt::format(
        "the word at {} in {}", Hex(at), mapping.path.empty() ? "anonymous memory" : mapping.path);
    const RelaidMemory* relaid = moves_.relaid();
    const bool left_over = relaid != nullptr && relaid->IsLeftOver(at, word);
    if (!landing.to && (left_over || IsBelowSystemCall(at))) return Stays(at);
    if (leaf.kind == Leaf::Kind::kNumber)
      return Refuse(holder +
                        ", a number by its type (annotation: tagged_pointer, "
                        "or copy),",
                    landing);
    if (landing.may_be_end) {
      return Refuse(holder + ", the end of what is before, or not (annotation: length, with end),",
                    landing);
    }
    if (!landing.to || mapping.shared) return Refuse(holder, landing);
    ++plan_.pointers.moved;
    if (IsPlaceholder(*landing.to)) {
      graft_.allocated_words.push_back({*place, Addr(*landing.to + tag)});
    } else {
      graft_.writes.AddWord(*place, *landing.to + tag);
    }
  }

  void Stays(Addr at) { account_.copied.push_back(*Range<Addr>::FromSize(at, kWord)); }

  // The end of an array goes where its last byte goes, whatever begins there. Where there is no
  // array, it is nothing.
  void End(Addr at, Addr place, uint64_t word, Addr first) {
    const bool is_array = objects_.memory().ReadValue<uint64_t>(first).value_or(0) != 0;
    const ObjectMoves::Landing last =
        is_array ? moves_.Translate(word - 1, 0) : ObjectMoves::Landing{};
    if (last.move == nullptr) {
      if (moves_.Find(Addr(word)) != nullptr) Stays(at);
      return;
    }
    if (!last.to) return Refuse(fmt::format("the end of an array at {}", Hex(at)), last);
    ++plan_.pointers.moved;
    if (IsPlaceholder(*last.to)) {
      graft_.allocated_words.push_back({place, Addr(*last.to + 1)});
    } else {
      graft_.writes.AddWord(place, *last.to + 1);
    }
  }

  // malloc's own tables hold addresses of blocks, which begin a word before the end of what the
  // block before may use.
  bool IsMallocs(Addr at, uint64_t word) const {
    const HeapChunk* block = FindChunk(objects_.chunks(), Addr(word));
    return block != nullptr && Addr(word) + kWord == block->payload.end() &&
           FindChunk(objects_.chunks(), at) == nullptr;
  }

  // Memory that was given back to the allocator, or is below a stack's end.
  bool IsDead(Addr at) const {
    const HeapChunk* chunk = FindChunk(objects_.chunks(), at);
    if (chunk != nullptr) return !chunk->in_use;
    return dead_.HoldWord(at);
  }

  // What a library's function that waits in a system call has no use for.
  bool IsBelowSystemCall(Addr at) const {
    return std::ranges::any_of(live_.threads(), [&](const checkpoint::ThreadImage& thread) {
      return IsInRedZone(at, Addr(thread.registers.rsp)) && !modules_.HoldOld(thread.registers.rip);
    });
  }

  void Refuse(const std::string& holder, const ObjectMoves::Landing& landing) {
    plan_.problems.push_back(fmt::format("process {}: {} points to a {} that cannot stay as it is",
                                         live_.pid(), holder, *landing.move->type_name));
  }

  const checkpoint::ProcessImage& live_;
  const ChangedModules& modules_;
  const TypedObjects& objects_;
  const ObjectMoves& moves_;
  const StackTakeOver& stacks_;
  checkpoint::ProcessGraft& graft_;
  Account& account_;
  MergePlan& plan_;
  const DeadStacks dead_;
};

}  // namespace

Status MergeMovedPointers(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                          const TypedObjects& objects, const StackTakeOver& stacks,
                          checkpoint::ProcessGraft& graft, Account& account, MergePlan& plan) {
  if (objects.moves().empty()) return {};
  Follower follower(live, modules, objects, stacks, graft, account, plan);
  // Without registers (a dry run) nobody knows which words of the stack are alive.
  const bool stopped =
      std::ranges::any_of(live.threads(), [&](const checkpoint::ThreadImage& thread) {
        return FindMapping(live.mappings(), Addr(thread.registers.rsp)) != nullptr;
      });
  for (const Mapping& mapping : ScannedOutside(live, modules.old_ranges())) {
    const bool unknown = !stopped && mapping.path == "[stack]";
    if (mapping.writable && !unknown) MCR_TRY(follower.Memory(mapping));
  }
  for (const checkpoint::ThreadImage& thread : live.threads()) follower.Registers(thread);
  for (const checkpoint::EpollEntry& entry : live.epoll_entries()) follower.Epoll(entry);
  for (const checkpoint::Timer& timer : live.timers()) follower.Timer(timer);
  for (const checkpoint::SignalStack& stack : live.signal_stacks()) follower.SignalStack(stack);
  return {};
}

}  // namespace mcr::mutator
