// Which pages a process writes to from a moment on (userfaultfd(2) in its mode WP_ASYNC, and
// PAGEMAP_SCAN; Linux 6.7). The process is not held up by it, but for a few microseconds at its
// first write to each page.
#ifndef MCR_TRACER_WRITE_WATCH_H_
#define MCR_TRACER_WRITE_WATCH_H_

#include <span>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "tracer/sys/pagemap/pagemap.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

// The watch is a descriptor of ours: it ends when this is destroyed, or when we are killed.
class WriteWatch {
 public:
  // Has the process, whose tasks are all stopped, open the watch. Watches nothing yet.
  static Result<WriteWatch> Open(TracedProcess& process);

  // From now on, on page-aligned memory of its own. The process may run.
  Status Add(Range<Addr> range);

  // Pages within `range` that may have been written to since they were added, or are not watched
  // (any more).
  Result<std::vector<Range<Addr>>> Written(Range<Addr> range) const {
    return pagemap_.Written(range);
  }

 private:
  WriteWatch(OwnedFd fd, Pagemap pagemap) : fd_(std::move(fd)), pagemap_(std::move(pagemap)) {}

  OwnedFd fd_;
  Pagemap pagemap_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_WRITE_WATCH_H_
