#include "mutator/validate/before_memory.h"

#include <algorithm>
#include <cstdint>

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
// Ranges nearer to each other than this are read in one go.
constexpr uint64_t kJoin = 256;

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
  std::ranges::sort(ranges);
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
                                      const MemoryReader& live) {
  const std::vector<Range<Addr>> written = Written(graft);
  Overwritten result;
  result.parts_.reserve(written.size());
  std::vector<std::byte> bytes;
  for (size_t first = 0; first < written.size();) {
    size_t last = first;
    while (last + 1 < written.size() && written[last + 1].begin() - written[last].end() < kJoin) {
      ++last;
    }
    const Addr begin = written[first].begin();
    bytes.resize(written[last].end() - begin);
    MCR_TRY(live.Read(begin, bytes));
    for (; first <= last; ++first) {
      const Range<Addr>& range = written[first];
      result.parts_.push_back({range, result.bytes_.size()});
      const auto part = std::span(bytes).subspan(range.begin() - begin, range.size());
      result.bytes_.insert(result.bytes_.end(), part.begin(), part.end());
    }
  }
  return result;
}

std::vector<Overwritten::Part>::const_iterator Overwritten::FirstBehind(Addr at) const {
  return std::ranges::upper_bound(parts_, at, {},
                                  [](const Part& part) { return part.range.end(); });
}

std::vector<Range<Addr>> Overwritten::ranges() const {
  std::vector<Range<Addr>> ranges;
  for (const Part& part : parts_) ranges.push_back(part.range);
  return ranges;
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
