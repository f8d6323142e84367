// The check after a graft: does anything in a process still point into the files that are about to
// be unmapped? It reads the process afresh and shares nothing with the merge but the search for
// words.
#ifndef MCR_MUTATOR_MERGE_LEFT_BEHIND_H_
#define MCR_MUTATOR_MERGE_LEFT_BEHIND_H_

#include <span>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/scan_memo.h"

namespace mcr::mutator {

// One line for each thread, epoll entry, timer and word of `image` that points into one of `old`
// (sorted, disjoint); the memory there is not looked at. `skip_shared`: shared memory has been
// checked through another process. `memo`: of an earlier search; what was not written to since, by
// the merge or anybody, is as it was found then.
Result<std::vector<std::string>> FindLeftBehind(const checkpoint::ProcessImage& image,
                                                std::span<const Range<Addr>> old, bool skip_shared,
                                                const ScanMemo* memo = nullptr);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LEFT_BEHIND_H_
