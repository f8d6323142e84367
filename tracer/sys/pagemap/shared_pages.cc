#include "tracer/sys/pagemap/shared_pages.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include "mcr/base/owned_fd.h"
#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

constexpr off_t kPageSize = 4096;

// lseek(2): SEEK_DATA fails with ENXIO behind the last page; the file's end counts as a hole, but
// the page that it is in can be written to up to its own end.
Result<std::vector<Range<Addr>>> DataIn(const OwnedFd& file, const Mapping& mapping,
                                        Range<Addr> part) {
  std::vector<Range<Addr>> pages;
  const auto offset_of = [&](Addr at) {
    return static_cast<off_t>(mapping.file_offset + (at - mapping.range.begin()));
  };
  const auto address_of = [&](off_t offset) {
    return mapping.range.begin() + (static_cast<uint64_t>(offset) - mapping.file_offset);
  };
  const off_t end = offset_of(part.end());
  for (off_t at = offset_of(part.begin()); at < end;) {
    const off_t data = lseek(file.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) return FailErrno("cannot find what shared memory holds", Hex(address_of(at)));
    if (data >= end) break;
    const off_t hole = lseek(file.get(), data, SEEK_HOLE);
    if (hole < 0) return FailErrno("cannot find what shared memory holds", Hex(address_of(data)));
    at = std::min((hole + kPageSize - 1) / kPageSize * kPageSize, end);
    if (const auto range = Range<Addr>::FromTo(address_of(data), address_of(at))) {
      pages.push_back(*range);
    }
  }
  return pages;
}

bool IsDenied(int error) { return error == EPERM || error == EACCES; }

}  // namespace

Result<std::vector<Range<Addr>>> SharedPages(pid_t pid, const Mapping& mapping, Range<Addr> part,
                                             const Pagemap& pagemap) {
  const std::string path = ProcFs().MappedFile(pid, mapping);
  struct statfs system;
  const bool seen = statfs(path.c_str(), &system) == 0;
  if (!seen && IsDenied(errno)) return std::vector{part};
  // Devices are not opened: that might do something. What is gone has no pages.
  if (!seen || system.f_type != TMPFS_MAGIC) return pagemap.Pages({&part, 1}, PageKind::kAny);
  const Result<OwnedFd> file = ProcFs().OpenMappedFile(pid, mapping);
  if (!file && IsDenied(file.error().os_error)) return std::vector{part};
  if (!file) return tl::make_unexpected(file.error());
  return DataIn(*file, mapping, part);
}

}  // namespace mcr::tracer
