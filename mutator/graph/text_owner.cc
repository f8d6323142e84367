#include "mutator/graph/text_owner.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "mcr/base/mapping.h"
#include "mutator/graph/dead_stacks.h"
#include "mutator/graph/memory_pieces.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

// What a text that ends at `end` says of the word that begins at `word`.
std::optional<TextEvidence> Judge(Addr end, Addr word) {
  if (word < end && end - word < kWord) return TextEvidence{TextTail::kCovers, end - word};
  if (end <= word && word - end < kWord) return TextEvidence{TextTail::kEndsBefore};
  return std::nullopt;
}

// `neighbour` next to a pointer to `begin`: an end or a length.
std::optional<TextEvidence> JudgePair(Addr begin, uint64_t neighbour, Addr word) {
  if (const auto as_end = Judge(Addr(neighbour), word)) return as_end;
  return neighbour < kTextContext + kWord ? Judge(begin + neighbour, word) : std::nullopt;
}

std::optional<TextEvidence> JudgePointer(const checkpoint::ProcessImage& image,
                                         const LikelyPointer& pointer, Addr word) {
  for (const Addr neighbour : {pointer.at - kWord, pointer.at + kWord}) {
    const auto value = image.ReadValue<uint64_t>(neighbour);
    if (!value) continue;
    if (auto evidence = JudgePair(Addr(pointer.target), *value, word)) return evidence;
  }
  return std::nullopt;
}

// The texts by the memory before their ends, where a pointer to them, or to what they are part of,
// would lead.
class Vicinities {
 public:
  explicit Vicinities(std::span<const Range<Addr>> texts) {
    for (size_t i = 0; i < texts.size(); ++i) order_.push_back(i);
    std::ranges::sort(order_, {}, [&](size_t i) { return texts[i].end(); });
    for (const size_t i : order_) {
      ranges_.push_back(*Range<Addr>::FromTo(texts[i].end() - kTextContext, texts[i].end()));
    }
  }

  const std::vector<Range<Addr>>& ranges() const { return ranges_; }

  // Calls `use` with the index of each text whose vicinity holds `target`, or ends there.
  template <class Use>
  void ForEachAt(Addr target, Use use) const {
    auto range = std::ranges::lower_bound(ranges_, target, {}, &Range<Addr>::end);
    for (; range != ranges_.end() && range->begin() <= target; ++range) {
      use(order_[range - ranges_.begin()]);
    }
  }

 private:
  std::vector<size_t> order_;
  std::vector<Range<Addr>> ranges_;  // all of one size, so in the order of begin and of end
};

class OwnerSearch {
 public:
  OwnerSearch(const checkpoint::ProcessImage& image, std::span<const Range<Addr>> texts)
      : image_(image),
        texts_(texts),
        vicinities_(texts),
        guard_(ReadPointerGuard(image)),
        dead_(image),
        contradicted_(texts.size()),
        unknown_(texts.size()) {
    for (const Range<Addr>& text : texts) {
      evidence_.push_back(Unknown(text));
    }
  }

  // Until all are known: to go on, for those that contradict, would take as long as the process is
  // large.
  Result<std::vector<TextEvidence>> Run() {
    for (const Mapping& mapping : image_.mappings()) {
      if (!IsScanned(mapping)) continue;
      MCR_ASSIGN(const auto populated, image_.PopulatedRanges(mapping.range));
      for (const Range<Addr>& range : populated) {
        for (Addr at = range.begin(); at < range.end() && unknown_ > 0; at = at + kStep) {
          MCR_TRY(Search(*Range<Addr>::FromTo(at, std::min(range.end(), at + kStep))));
        }
      }
    }
    return std::move(evidence_);
  }

 private:
  // Pointers to texts are aligned, so that none is on the seam of two steps.
  static constexpr uint64_t kStep = 64 << 10;

  Status Search(Range<Addr> memory) {
    found_.clear();
    MCR_TRY(ScanPieces(image_, memory, vicinities_.ranges(), guard_, found_));
    for (const LikelyPointer& pointer : found_) {
      if (pointer.mangled || !pointer.aligned() || dead_.HoldWord(pointer.at)) continue;
      vicinities_.ForEachAt(Addr(pointer.target), [&](size_t i) { Note(pointer, i); });
    }
    return {};
  }

  void Note(const LikelyPointer& pointer, size_t i) {
    TextEvidence& known = evidence_[i];
    known.referenced = true;
    if (contradicted_[i] || !texts_[i].Contains(Addr(pointer.target))) return;
    const auto found = JudgePointer(image_, pointer, texts_[i].end());
    if (!found) return;
    if (known.tail == TextTail::kUnknown) {
      known = *found;
      --unknown_;
    } else if (known.tail != found->tail) {
      // One of the two is what another text has left.
      known = Unknown(texts_[i]);
      known.referenced = contradicted_[i] = true;
      ++unknown_;
    }
  }

  static TextEvidence Unknown(const Range<Addr>& text) {
    return {TextTail::kUnknown, 0, text.size(), false};
  }

  const checkpoint::ProcessImage& image_;
  std::span<const Range<Addr>> texts_;
  const Vicinities vicinities_;
  const PointerGuard guard_;
  std::vector<TextEvidence> evidence_;
  const DeadStacks dead_;
  std::vector<bool> contradicted_;
  size_t unknown_;  // how many
  std::vector<LikelyPointer> found_;
};

}  // namespace

Result<std::vector<TextEvidence>> FindTextOwners(const checkpoint::ProcessImage& image,
                                                 std::span<const Range<Addr>> texts) {
  return OwnerSearch(image, texts).Run();
}

}  // namespace mcr::mutator
