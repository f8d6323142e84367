#include "tracer/sys/pagemap/pagemap.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

constexpr uint64_t kPageSize = 4096;

// <linux/fs.h> of Linux 6.7, newer than the distribution's headers.
struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};
struct ScanArguments {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t regions;
  uint64_t region_count;
  uint64_t max_pages;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_anyof_mask;
  uint64_t return_mask;
};
static_assert(sizeof(ScanArguments) == 96);
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);
constexpr uint64_t kProtectMatching = 1 << 0;  // PM_SCAN_WP_MATCHING
constexpr uint64_t kWatchedOnly = 1 << 1;      // PM_SCAN_CHECK_WPASYNC: EPERM for other memory
constexpr uint64_t kIsWritten = 1 << 1;
constexpr uint64_t kIsFile = 1 << 2;
constexpr uint64_t kIsPresent = 1 << 3;
constexpr uint64_t kIsSwapped = 1 << 4;
constexpr uint64_t kIsZeroPage = 1 << 5;

// Bits of an entry of the pagemap file.
constexpr uint64_t kEntryPresent = 1ull << 63;
constexpr uint64_t kEntrySwapped = 1ull << 62;
constexpr uint64_t kEntryFile = 1ull << 61;

void Append(std::vector<Range<Addr>>& ranges, Addr begin, Addr end) {
  if (!ranges.empty() && ranges.back().end() == begin) {
    begin = ranges.back().begin();
    ranges.pop_back();
  }
  if (const auto range = Range<Addr>::FromTo(begin, end)) ranges.push_back(*range);
}

bool Lacks(int error) { return error == ENOTTY || error == EINVAL; }

}  // namespace

Result<Pagemap> Pagemap::Open(pid_t pid) {
  MCR_ASSIGN(OwnedFd fd, ProcFs().Open(pid, "pagemap", O_RDONLY));
  return Pagemap(std::move(fd));
}

namespace {

// What the ioctl tells of `range`, bit by bit. `scan` says what is asked.
Status Scan(int fd, Range<Addr> range, ScanArguments scan, std::vector<Range<Addr>>& pages) {
  std::array<PageRegion, 256> regions;
  scan.size = sizeof(scan);
  scan.start = range.begin().value();
  scan.end = range.end().value();
  scan.regions = reinterpret_cast<uint64_t>(regions.data());
  scan.region_count = regions.size();
  while (scan.start < scan.end) {
    const int count = ioctl(fd, kPagemapScan, &scan);
    if (count < 0) return FailErrno("cannot scan the page map", Hex(Addr(scan.start)));
    for (int i = 0; i < count; ++i) Append(pages, Addr(regions[i].start), Addr(regions[i].end));
    scan.start = scan.walk_end;
  }
  return {};
}

ScanArguments WrittenPages(uint64_t flags) {
  ScanArguments scan = {};
  scan.flags = kWatchedOnly | flags;
  scan.category_mask = scan.return_mask = kIsWritten;
  return scan;
}

}  // namespace

Result<std::vector<Range<Addr>>> Pagemap::Pages(std::span<const Range<Addr>> ranges,
                                                PageKind kind) const {
  std::vector<Range<Addr>> pages;
  if (ranges.empty()) return pages;
  const Range<Addr> all = *Range<Addr>::FromTo(ranges.front().begin(), ranges.back().end());
  const uint64_t excluded = kIsZeroPage | (kind == PageKind::kAnonymous ? kIsFile : 0);
  ScanArguments scan = {};
  scan.category_inverted = scan.category_mask = excluded;
  scan.category_anyof_mask = scan.return_mask = kIsPresent | kIsSwapped;
  const Status scanned = Scan(fd_.get(), all, scan, pages);
  if (!scanned && Lacks(scanned.error().os_error)) return PagesByEntry(ranges, kind);
  MCR_TRY(scanned);
  return pages;
}

Status Pagemap::ForgetWrites(Range<Addr> range) const {
  std::vector<Range<Addr>> written;
  return Scan(fd_.get(), range, WrittenPages(kProtectMatching), written);
}

Result<std::vector<Range<Addr>>> Pagemap::Written(Range<Addr> range) const {
  std::vector<Range<Addr>> written;
  const Status scanned = Scan(fd_.get(), range, WrittenPages(0), written);
  if (!scanned && scanned.error().os_error == EPERM) return std::vector{range};
  MCR_TRY(scanned);
  return written;
}

Status Pagemap::ReadEntries(Range<Addr> range, PageKind kind,
                            std::vector<Range<Addr>>& pages) const {
  std::array<uint64_t, 512> entries;
  for (Addr at = range.begin(); at < range.end();) {
    const uint64_t wanted = std::min<uint64_t>(entries.size(), (range.end() - at) / kPageSize);
    const auto offset = static_cast<off_t>(at.value() / kPageSize * sizeof(uint64_t));
    const ssize_t bytes = pread(fd_.get(), entries.data(), wanted * sizeof(uint64_t), offset);
    if (bytes < 0) return FailErrno("cannot read the page map", Hex(at));
    if (bytes == 0) return Fail("cannot read the page map: the process is gone", Hex(at));
    for (const uint64_t entry : std::span(entries).first(bytes / sizeof(uint64_t))) {
      const bool there = (entry & (kEntryPresent | kEntrySwapped)) != 0;
      const bool of_kind = kind == PageKind::kAny || (entry & kEntryFile) == 0;
      if (there && of_kind) Append(pages, at, at + kPageSize);
      at = at + kPageSize;
    }
  }
  return {};
}

Result<std::vector<Range<Addr>>> Pagemap::PagesByEntry(std::span<const Range<Addr>> ranges,
                                                       PageKind kind) const {
  std::vector<Range<Addr>> pages;
  for (const Range<Addr>& range : ranges) MCR_TRY(ReadEntries(range, kind, pages));
  return pages;
}

}  // namespace mcr::tracer
