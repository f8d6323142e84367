#include "checkpoint/graft/memory_patch.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace mcr::checkpoint {
namespace {

constexpr uint64_t kPageSize = 4096;

uint64_t PageNumber(Addr address) { return address.value() / kPageSize; }

// Entries that make one span: so many of the order by address.
struct Cluster {
  Range<Addr> range;
  std::span<size_t> entries;
};

bool IsWithin(std::span<const Range<Addr>> ranges, const Range<Addr>& inner) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range<Addr>& range) { return range.Contains(inner); });
}

// The indices of the entries that write anything, by address.
std::vector<size_t> ByAddress(const std::vector<WriteList::Entry>& entries) {
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](size_t index) { return entries[index].size == 0; });
  const auto before = [&](size_t a, size_t b) { return entries[a].at < entries[b].at; };
  // Most lists are made in that order.
  if (!std::is_sorted(order.begin(), order.end(), before)) {
    std::stable_sort(order.begin(), order.end(), before);
  }
  return order;
}

std::vector<Cluster> MakeClusters(const std::vector<WriteList::Entry>& entries,
                                  std::span<size_t> order, std::span<const Range<Addr>> fresh) {
  std::vector<Cluster> clusters;
  for (size_t i = 0; i < order.size(); ++i) {
    const WriteList::Entry& entry = entries[order[i]];
    const Addr end = entry.at + entry.size;
    // Across a gap only where there is something to read and write back in it.
    const bool same_page = !clusters.empty() &&
                           PageNumber(entry.at) == PageNumber(clusters.back().range.end() - 1) &&
                           !IsWithin(fresh, clusters.back().range);
    const bool joins = !clusters.empty() && (entry.at <= clusters.back().range.end() || same_page);
    if (!joins) clusters.push_back({*Range<Addr>::FromSize(entry.at, 0), order.subspan(i, 0)});
    Cluster& cluster = clusters.back();
    cluster.range = *Range<Addr>::FromTo(cluster.range.begin(), std::max(cluster.range.end(), end));
    cluster.entries = {cluster.entries.data(), cluster.entries.size() + 1};
  }
  // Within a cluster, in the order in which they were added.
  for (Cluster& cluster : clusters) std::ranges::sort(cluster.entries);
  return clusters;
}

}  // namespace

size_t MemoryPatch::CountOverwritten(const WriteList& writes, std::span<const Range<Addr>> fresh) {
  size_t bytes = 0;
  std::vector<size_t> order = ByAddress(writes.entries());
  for (const Cluster& cluster : MakeClusters(writes.entries(), order, fresh)) {
    if (!IsWithin(fresh, cluster.range)) bytes += cluster.range.size();
  }
  return bytes;
}

Result<MemoryPatch> MemoryPatch::Prepare(const WriteList& writes, const MemoryReader& memory,
                                         std::span<const Range<Addr>> fresh) {
  MemoryPatch patch;
  for (const WriteList::Entry& entry : writes.entries()) {
    if (!Range<Addr>::FromSize(entry.at, entry.size)) {
      return Fail("a write wraps around the address space", Hex(entry.at));
    }
  }
  std::vector<size_t> order = ByAddress(writes.entries());
  for (const Cluster& cluster : MakeClusters(writes.entries(), order, fresh)) {
    const bool saved = !IsWithin(fresh, cluster.range);
    Span span{.at = cluster.range.begin(), .before = {}, .after = {}};
    span.after.resize(cluster.range.size());
    if (saved) {
      MCR_TRY(memory.Read(span.at, span.after));
      span.before = span.after;
    }
    for (const size_t index : cluster.entries) {
      const WriteList::Entry& entry = writes.entries()[index];
      const auto bytes = writes.bytes(entry);
      std::copy(bytes.begin(), bytes.end(), span.after.begin() + (entry.at - span.at));
    }
    patch.spans_.push_back(std::move(span));
  }
  return patch;
}

Result<WriteList> MemoryPatch::StillRight(const WriteList& writes, const MemoryReader& now) const {
  std::vector<Span> changed;  // by address, each with what is there now
  std::vector<std::byte> bytes;
  for (const Span& span : spans_) {
    bytes.resize(span.before.size());
    MCR_TRY(now.Read(span.at, bytes));
    if (bytes != span.before) changed.push_back({span.at, span.before, bytes});
  }
  const auto is_right = [&](const WriteList::Entry& entry) {
    const auto behind = std::ranges::upper_bound(changed, entry.at, {}, &Span::at);
    if (behind == changed.begin()) return true;
    const Span& span = *std::prev(behind);
    const uint64_t offset = entry.at - span.at;
    return offset >= span.before.size() ||
           std::equal(span.before.begin() + offset, span.before.begin() + offset + entry.size,
                      span.after.begin() + offset);
  };
  WriteList right;
  for (const WriteList::Entry& entry : writes.entries()) {
    if (is_right(entry)) right.Add(entry.at, writes.bytes(entry));
  }
  return right;
}

}  // namespace mcr::checkpoint
