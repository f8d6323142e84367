#include "mutator/merge/start_heap_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "mcr/base/mapping.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/same_word.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/object_moves.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

// Which values are to be taken.
class Judge {
 public:
  Judge(const std::string& other_memory, const Base& base, const TypedObjects& objects,
        std::vector<ChunkPair> pairs, MergePlan& plan)
      : other_memory_(other_memory),
        base_(*base.start.image),
        base_bias_(base.start.biases.at(objects.module()->index)),
        objects_(objects),
        module_(*objects.module()),
        our_words_(objects.memory().image()),
        base_words_(base_),
        pairs_(std::move(pairs)),
        plan_(plan) {}

  // Where the live process has the value; nullopt: it is not taken.
  std::optional<Addr> Find(const StartDifference& difference) {
    if (difference.mapped && !difference.text) RefuseMapped(difference);
    const auto at = InLive(difference.value);
    if (!at) return std::nullopt;  // given back, or used for something else
    const RelaidMemory* relaid = objects_.moves().relaid();
    if (relaid != nullptr && relaid->Holds(*at)) return std::nullopt;  // as a whole
    // Others knew the type of what the starts' pointers do not tell.
    if (difference.recipe == nullptr && objects_.TypeAt(*at) != nullptr) return std::nullopt;
    const bool may_be_size = !difference.target && !other_memory_.empty();
    if (!IsUntouched(difference, *at)) {
      Keep(difference);
    } else if (difference.plain && may_be_size) {
      plan_.conflicts.push_back(fmt::format(
          "what `{}` points to holds something else after the new version's start, which also "
          "leads to other memory than the old one's; the server's was kept",
          difference.name));
    } else if (difference.bits || may_be_size) {
      Refuse(difference);
    } else {
      return at;
    }
    return std::nullopt;
  }

 private:
  std::optional<Addr> InLive(Addr in_base) const {
    const ChunkPair* pair = FindPair(pairs_, &ChunkPair::base, in_base);
    if (pair == nullptr) return std::nullopt;
    return pair->live.begin() + (in_base - pair->base.begin());
  }

  bool IsUntouched(const StartDifference& difference, Addr live) const {
    if (difference.recipe == nullptr) return SameMemory(difference.memory, live);
    std::vector<std::byte> ours(difference.size), base(difference.size);
    if (!objects_.memory().Read(live + difference.from, ours) ||
        !base_.Read(difference.value + difference.from, base)) {
      return false;
    }
    return difference.target ? SameTarget(ours, base) : ours == base;
  }

  bool SameTarget(std::span<const std::byte> ours, std::span<const std::byte> base) const {
    uint64_t our_word = 0, base_word = 0;
    std::memcpy(&our_word, ours.data(), kWord);
    std::memcpy(&base_word, base.data(), kWord);
    if (base_word == 0) return our_word == 0;
    return our_word - module_.live.bias.value() == base_word - base_bias_.value();
  }

  // Of memory without types any word may mean that the others are no result of the start any more.
  bool SameMemory(Range<Addr> in_base, Addr live) const {
    for (uint64_t at = 0; at + kWord <= in_base.size(); at += kWord) {
      const auto ours = objects_.memory().ReadValue<uint64_t>(live + at);
      const auto base = base_.ReadValue<uint64_t>(in_base.begin() + at);
      if (!ours || !base) return false;
      const bool pointers = IsPointer(objects_.memory().image(), *ours) && IsPointer(base_, *base);
      if (!pointers && !our_words_.MaySay(*ours, base_words_, *base)) return false;
    }
    return true;
  }

  static bool IsPointer(const checkpoint::ProcessImage& image, uint64_t word) {
    return FindMapping(image.mappings(), Addr(word)) != nullptr;
  }

  void Keep(const StartDifference& difference) {
    if (difference.recipe != nullptr) {
      plan_.conflicts.push_back(fmt::format(
          "`{}`: the new version's start leaves another value, the server had changed it; the "
          "server's was kept",
          difference.name));
      return;
    }
    if (difference.text) return;  // of the server's own
    plan_.problems.push_back(
        fmt::format("the memory that `{}` points to was computed by start-up, which computes "
                    "something else in the new version, and the server has changed it since: "
                    "nothing says what it is (annotation: pointee of `{}`)",
                    difference.name, difference.name));
  }

  void RefuseMapped(const StartDifference& difference) {
    if (!refused_.insert(difference.name).second) return;
    plan_.problems.push_back(fmt::format(
        "`{}` is another one after the new version's start, and is in a large allocation, "
        "of which it cannot be told whether the server has changed it (annotation: copy)",
        difference.name));
  }

  void Refuse(const StartDifference& difference) {
    if (!refused_.insert(difference.name).second) return;
    plan_.problems.push_back(
        difference.bits
            ? fmt::format("`{}`, a bit-field, is another one after the new version's start",
                          difference.name)
            : fmt::format(
                  "`{}` is another number after the new version's start, which also leads to other "
                  "memory than the old one's (through `{}`): whether the number belongs to that "
                  "cannot be told (annotation: copy)",
                  difference.name, other_memory_));
  }

  const std::string& other_memory_;
  const checkpoint::ProcessImage& base_;
  Addr base_bias_;
  const TypedObjects& objects_;
  const ChangedModule& module_;
  const WordsOf our_words_, base_words_;
  std::vector<ChunkPair> pairs_;
  MergePlan& plan_;
  std::set<std::string> refused_;
};

// Where the new version has the value; nullopt: nowhere.
std::optional<Addr> PlaceOf(const StartDifference& difference, Addr live,
                            const ObjectMoves& moves) {
  if (difference.recipe == nullptr) return live + difference.to;
  const auto landing = moves.Translate(live.value(), difference.recipe->before);
  if (landing.move == nullptr) return live + difference.to;
  if (!landing.to) return std::nullopt;
  const Addr to = Addr(*landing.to) + difference.to;
  const uint64_t size = difference.target ? kWord : difference.next.size();
  const bool fits = to + size <= landing.move->to + landing.move->to_size;
  return fits ? std::optional(to) : std::nullopt;
}

std::vector<std::byte> BytesOf(const StartDifference& difference, const ChangedModule& module) {
  if (!difference.target) return difference.next;
  const uint64_t target = module.InNew(*difference.target);
  const auto word = std::as_bytes(std::span(&target, 1));
  return {word.begin(), word.end()};
}

}  // namespace

StartHeapMerge::StartHeapMerge(const StartHeap& heap, const Base& base,
                               const checkpoint::ProcessImage& live, const TypedObjects& objects,
                               MergePlan& plan) {
  const RelaidMemory* relaid = objects.moves().relaid();
  for (const StartHeap::OtherMemory& other : heap.others) {
    if (relaid == nullptr || !relaid->Replaces(other)) other_memory_ = other.name;
    if (!other_memory_.empty()) break;
  }
  if (heap.differences.empty()) return;
  Judge judge(other_memory_, base, objects,
              PairChunks(live, objects.chunks(), *base.start.image, heap.base_chunks), plan);
  for (const StartDifference& difference : heap.differences) {
    const auto at = judge.Find(difference);
    const auto to = at ? PlaceOf(difference, *at, objects.moves()) : std::nullopt;
    if (!to) continue;
    taken_.push_back({*Range<Addr>::FromSize(*at + difference.from, difference.size), *to,
                      BytesOf(difference, *objects.module())});
    if (difference.target) pointers_.insert(*at + difference.from);
  }
}

void StartHeapMerge::Write(checkpoint::ProcessGraft& graft, Account& account,
                           MergePlan& plan) const {
  for (const Taken& value : taken_) {
    checkpoint::WriteList& writes =
        IsPlaceholder(value.to.value()) ? graft.allocated_writes : graft.writes;
    writes.Add(value.to, value.bytes);
    account.heap_from_next.push_back(value.from);
  }
  plan.objects.initialised += taken_.size();
}

}  // namespace mcr::mutator
