// Which pages of memory that processes share exist. The page map of one process does not tell: the
// kernel gives a process a page of a file when it first touches it, and fork(2) hands none down
// (vma_needs_copy in mm/memory.c), so that others may have filled what this one has never seen.
#ifndef MCR_TRACER_SYS_PAGEMAP_SHARED_PAGES_H_
#define MCR_TRACER_SYS_PAGEMAP_SHARED_PAGES_H_

#include <sys/types.h>

#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "tracer/sys/pagemap/pagemap.h"

namespace mcr::tracer {

// The pages within `part` of the shared `mapping` of process `pid`, whose page map is `pagemap`;
// page-aligned, sorted, adjacent ones joined. Of a file in memory (shared anonymous memory, System
// V's, tmpfs) those that the file has, whoever has filled them; all of `part` if the kernel does
// not let us see the file. Of other files those that the process has touched: the rest is on disk.
Result<std::vector<Range<Addr>>> SharedPages(pid_t pid, const Mapping& mapping, Range<Addr> part,
                                             const Pagemap& pagemap);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PAGEMAP_SHARED_PAGES_H_
