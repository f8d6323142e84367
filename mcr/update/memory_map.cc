#include "mcr/update/memory_map.h"

#include <algorithm>

namespace mcr::update {
namespace {

void CountWrites(const checkpoint::WriteList& writes, std::vector<MemoryRegion>& regions) {
  for (const auto& write : writes.entries()) {
    const auto after = std::ranges::upper_bound(
        regions, write.at, {}, [](const MemoryRegion& region) { return region.range.begin(); });
    if (after == regions.begin()) continue;
    MemoryRegion& region = *std::prev(after);
    if (!region.range.Contains(write.at)) continue;
    region.written += write.size;
    if (region.fate == Fate::kStayed) region.fate = Fate::kWritten;
  }
}

std::vector<MemoryRegion> JoinNeighbours(const std::vector<MemoryRegion>& regions) {
  std::vector<MemoryRegion> joined;
  for (const MemoryRegion& region : regions) {
    if (!joined.empty()) {
      MemoryRegion& last = joined.back();
      const auto both = Range<Addr>::FromTo(last.range.begin(), region.range.end());
      if (both && last.range.end() == region.range.begin() && last.name == region.name &&
          last.fate == region.fate) {
        last.range = *both;
        last.written += region.written;
        continue;
      }
    }
    joined.push_back(region);
  }
  return joined;
}

}  // namespace

ProcessMemory DescribeMemory(const checkpoint::ProcessGraft& graft,
                             const std::vector<std::string>& new_files, const Mappings& before) {
  std::vector<MemoryRegion> regions;
  for (const Mapping& mapping : before) {
    const bool goes = std::ranges::any_of(
        graft.unmap, [&](const Range<Addr>& range) { return range.Contains(mapping.range); });
    regions.push_back({mapping.range, mapping.path, goes ? Fate::kUnmapped : Fate::kStayed});
  }
  for (const checkpoint::NewMapping& mapping : graft.mappings) {
    regions.push_back(
        {mapping.range, mapping.anonymous ? "" : new_files[mapping.file], Fate::kMapped});
  }
  std::ranges::sort(regions, {}, [](const MemoryRegion& region) { return region.range.begin(); });
  CountWrites(graft.writes, regions);
  return {graft.pid, JoinNeighbours(regions)};
}

}  // namespace mcr::update
