// Which pages of a process exist (proc_pid_pagemap(5), ioctl PAGEMAP_SCAN of Linux 6.7).
#ifndef MCR_TRACER_SYS_PAGEMAP_PAGEMAP_H_
#define MCR_TRACER_SYS_PAGEMAP_PAGEMAP_H_

#include <sys/types.h>

#include <span>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

enum class PageKind {
  kAny,        // present or swapped out
  kAnonymous,  // of these, those that belong to no file: anonymous memory, and file pages copied on
               // write
};

class Pagemap {
 public:
  static Result<Pagemap> Open(pid_t pid);

  // The pages of that kind within `ranges`, which are page-aligned, sorted and disjoint; sorted,
  // adjacent ones joined. There may be others, too, between the ranges. Pages that were only read,
  // and are the kernel's zero page, are left out where the kernel tells.
  Result<std::vector<Range<Addr>>> Pages(std::span<const Range<Addr>> ranges, PageKind kind) const;

  // For memory that a userfaultfd watches for writes (write_watch.h): what is written to from now
  // on counts as written.
  Status ForgetWrites(Range<Addr> range) const;
  // Pages within `range` that were written to since, or may have been: all of it, where it is not
  // watched any more. Page-aligned; sorted, adjacent ones joined.
  Result<std::vector<Range<Addr>>> Written(Range<Addr> range) const;

  // Pages(), without PAGEMAP_SCAN: for kernels that lack it.
  Result<std::vector<Range<Addr>>> PagesByEntry(std::span<const Range<Addr>> ranges,
                                                PageKind kind) const;

 private:
  explicit Pagemap(OwnedFd fd) : fd_(std::move(fd)) {}

  Status ReadEntries(Range<Addr> range, PageKind kind, std::vector<Range<Addr>>& pages) const;

  OwnedFd fd_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PAGEMAP_PAGEMAP_H_
