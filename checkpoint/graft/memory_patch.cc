#include "checkpoint/graft/memory_patch.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mcr::checkpoint {
namespace {

constexpr uint64_t kPageSize = 4096;

uint64_t PageNumber(Addr address) { return address.value() / kPageSize; }

// Indices of entries that make one span, in the order in which they were added.
struct Cluster {
  Range<Addr> range;
  std::vector<size_t> entries;
  bool has_gaps = false;
};

std::vector<Cluster> MakeClusters(const WriteList& writes) {
  const auto& entries = writes.entries();
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return entries[a].at < entries[b].at; });
  std::vector<Cluster> clusters;
  for (const size_t index : order) {
    const WriteList::Entry& entry = entries[index];
    if (entry.size == 0) continue;
    const Addr end = entry.at + entry.size;
    const bool joins =
        !clusters.empty() && (entry.at <= clusters.back().range.end() ||
                              PageNumber(entry.at) == PageNumber(clusters.back().range.end() - 1));
    if (!joins) clusters.push_back({.range = *Range<Addr>::FromSize(entry.at, 0), .entries = {}});
    Cluster& cluster = clusters.back();
    cluster.has_gaps |= entry.at > cluster.range.end();
    cluster.range = *Range<Addr>::FromTo(cluster.range.begin(), std::max(cluster.range.end(), end));
    cluster.entries.push_back(index);
  }
  for (Cluster& cluster : clusters) std::sort(cluster.entries.begin(), cluster.entries.end());
  return clusters;
}

}  // namespace

Result<MemoryPatch> MemoryPatch::Prepare(const WriteList& writes, const MemoryReader& memory,
                                         std::span<const Range<Addr>> unsaved) {
  MemoryPatch patch;
  for (const WriteList::Entry& entry : writes.entries()) {
    if (!Range<Addr>::FromSize(entry.at, entry.size)) {
      return Fail("a write wraps around the address space", Hex(entry.at));
    }
  }
  for (const Cluster& cluster : MakeClusters(writes)) {
    const bool saved = std::none_of(unsaved.begin(), unsaved.end(), [&](const Range<Addr>& range) {
      return range.Contains(cluster.range);
    });
    Span span{.at = cluster.range.begin(), .before = {}, .after = {}};
    span.after.resize(cluster.range.size());
    if (saved || cluster.has_gaps) MCR_TRY(memory.Read(span.at, span.after));
    if (saved) span.before = span.after;
    for (const size_t index : cluster.entries) {
      const WriteList::Entry& entry = writes.entries()[index];
      const auto bytes = writes.bytes(entry);
      std::copy(bytes.begin(), bytes.end(), span.after.begin() + (entry.at - span.at));
    }
    patch.spans_.push_back(std::move(span));
  }
  return patch;
}

}  // namespace mcr::checkpoint
