#include "mutator/graph/scan_memo.h"

#include <algorithm>

#include "mutator/graph/memory_pieces.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

void Append(Addr begin, Addr end, std::vector<Range<Addr>>& ranges) {
  if (!(begin < end)) return;
  if (!ranges.empty() && ranges.back().end() == begin) {
    begin = ranges.back().begin();
    ranges.pop_back();
  }
  ranges.push_back(*Range<Addr>::FromTo(begin, end));
}

}  // namespace

ScanMemo ScanMemo::Create(const checkpoint::ProcessImage& image, std::vector<Range<Addr>> memory,
                          std::vector<Range<Addr>> targets, const PointerGuard& guard,
                          Written written) {
  ScanMemo memo(std::move(memory), std::move(targets), guard, std::move(written));
  std::erase_if(memo.memory_, [&](const Range<Addr>& range) {
    return !memo.Search(image, range);  // it was given back meanwhile
  });
  return memo;
}

Status ScanMemo::Search(const checkpoint::ProcessImage& image, Range<Addr> range) {
  MCR_ASSIGN(const auto populated, image.PopulatedRanges(range));
  std::vector<LikelyPointer> found;
  for (const Range<Addr>& part : populated) {
    MCR_TRY(ScanPieces(image, part, targets_, guard_, found));
  }
  found_.insert(found_.end(), found.begin(), found.end());
  return {};
}

bool ScanMemo::IsFor(std::span<const Range<Addr>> targets, const PointerGuard& guard) const {
  return std::ranges::equal(targets, targets_) && guard == guard_;
}

bool ScanMemo::IsPartlyIn(const LikelyPointer& pointer, Range<Addr> range) {
  return range.begin() < pointer.at + kWord && pointer.at <= range.end();
}

Result<ScanMemo::Memory> ScanMemo::Recall(Range<Addr> range) const {
  Memory result;
  Addr at = range.begin();  // everything before is dealt with
  for (const Range<Addr>& watched : memory_) {
    if (!watched.Overlaps(range)) continue;
    const Range<Addr> part = watched.Intersection(range);
    MCR_ASSIGN(const auto written, written_(part));
    Append(at, part.begin(), result.to_search);
    for (const Range<Addr>& pages : written) Append(pages.begin(), pages.end(), result.to_search);
    at = part.end();
  }
  Append(at, range.end(), result.to_search);

  auto search = result.to_search.begin();
  auto pointer = std::ranges::lower_bound(found_, range.begin(), {}, &LikelyPointer::at);
  for (; pointer != found_.end() && pointer->at + kWord <= range.end(); ++pointer) {
    while (search != result.to_search.end() && search->end() < pointer->at) ++search;
    const bool afresh = search != result.to_search.end() && IsPartlyIn(*pointer, *search);
    if (!afresh) result.known.push_back(*pointer);
  }
  return result;
}

}  // namespace mcr::mutator
