#include "mutator/validate/before_memory.h"

#include <algorithm>
#include <cstdint>

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

std::vector<Range<Addr>> Written(const checkpoint::ProcessGraft& graft) {
  std::vector<Range<Addr>> ranges;
  ranges.reserve(graft.writes.entries().size() + graft.allocated_words.size());
  const auto add = [&](Addr at, uint64_t size) {
    const auto range = Range<Addr>::FromSize(at, size);
    const bool fresh = !range || std::ranges::any_of(graft.mappings, [&](const auto& mapping) {
      return mapping.range.Overlaps(*range);
    });
    const auto& asked = graft.allocations;
    const bool placeholder = !asked.empty() && at >= asked.front().placeholder;
    if (!fresh && !placeholder) ranges.push_back(*range);
  };
  for (const auto& entry : graft.writes.entries()) add(entry.at, entry.size);
  for (const auto& word : graft.allocated_words) add(word.at, kWord);
  // Of a few long runs that are in order, which std::sort takes for its worst case.
  std::ranges::stable_sort(ranges);
  size_t joined = 0;
  for (const Range<Addr>& range : ranges) {
    if (joined == 0 || ranges[joined - 1].end() < range.begin()) {
      ranges[joined++] = range;
    } else if (ranges[joined - 1].end() < range.end()) {
      ranges[joined - 1] = *Range<Addr>::FromTo(ranges[joined - 1].begin(), range.end());
    }
  }
  ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(joined), ranges.end());
  return ranges;
}

}  // namespace

Result<Overwritten> Overwritten::Copy(const checkpoint::ProcessGraft& graft,
                                      const checkpoint::MemoryPatch& patch,
                                      const MemoryReader& live) {
  const std::vector<Range<Addr>> written = Written(graft);
  Overwritten result;
  result.parts_.reserve(written.size());
  uint64_t size = 0;
  for (const Range<Addr>& range : written) size += range.size();
  result.bytes_.reserve(size);
  auto span = patch.spans().begin();  // by address, like the ranges
  for (const Range<Addr>& range : written) {
    while (span != patch.spans().end() && span->at + span->before.size() < range.end()) ++span;
    const size_t offset = result.bytes_.size();
    result.parts_.push_back({range, offset});
    if (span != patch.spans().end() && span->at <= range.begin()) {
      const auto known = std::span(span->before).subspan(range.begin() - span->at, range.size());
      result.bytes_.insert(result.bytes_.end(), known.begin(), known.end());
    } else {
      result.bytes_.resize(offset + range.size());
      MCR_TRY(live.Read(range.begin(), std::span(result.bytes_).subspan(offset)));
    }
  }
  return result;
}

std::vector<Overwritten::Part>::const_iterator Overwritten::FirstBehind(Addr at) const {
  return std::ranges::upper_bound(parts_, at, {},
                                  [](const Part& part) { return part.range.end(); });
}

bool Overwritten::Holds(Addr at) const {
  const auto part = FirstBehind(at);
  return part != parts_.end() && part->range.Contains(at);
}

void Overwritten::PutOver(Addr from, std::span<std::byte> bytes) const {
  const auto range = Range<Addr>::FromSize(from, bytes.size());
  if (!range) return;
  for (auto part = FirstBehind(from); part != parts_.end() && part->range.Overlaps(*range);
       ++part) {
    const Range<Addr> both = part->range.Intersection(*range);
    const auto copy =
        std::span(bytes_).subspan(part->offset + (both.begin() - part->range.begin()), both.size());
    std::ranges::copy(copy, bytes.begin() + static_cast<std::ptrdiff_t>(both.begin() - from));
  }
}

Status BeforeMemory::Read(Addr from, std::span<std::byte> into) const {
  MCR_TRY(after_.Read(from, into));
  overwritten_.PutOver(from, into);
  return {};
}

}  // namespace mcr::mutator
