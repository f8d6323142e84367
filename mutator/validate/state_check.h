// The checks of one process that carries the new program and has not yet been told: the state of
// the old version, seen from the new one (backward transfer, TTST), and every pointer that was
// written.
#ifndef MCR_MUTATOR_VALIDATE_STATE_CHECK_H_
#define MCR_MUTATOR_VALIDATE_STATE_CHECK_H_

#include <memory>
#include <span>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/merge/account.h"
#include "mutator/validate/before_memory.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/start_check.h"
#include "mutator/validate/version_pair.h"

namespace mcr::mutator {

struct CheckedProcess {
  const checkpoint::ProcessImage& before;  // all but its memory, which has been written to
  const checkpoint::ProcessImage& after;
  const Overwritten& overwritten;
  const StartCheck* start = nullptr;  // a start of the old version, if there is one
  Account account;                    // as the merge gave it
  // As they were made: where the account has placeholders.
  std::vector<checkpoint::Allocation> allocations;
  std::vector<checkpoint::SignalHandlerChange> signal_handlers;
  // Shared memory has been checked through another process.
  bool skip_shared = false;
};

// `versions`: of each module, in the order of GraftPlan::new_files. Fails if memory cannot be read.
Result<Findings> CheckState(CheckedProcess process,
                            std::span<const std::unique_ptr<VersionPair>> versions);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_STATE_CHECK_H_
