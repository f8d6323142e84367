// What `mcr plan` does, which `mcr update --dry-run` does, too.
#ifndef MCR_CLI_RUN_PLAN_H_
#define MCR_CLI_RUN_PLAN_H_

#include "mcr/update/options.h"

namespace mcr::cli {

// Returns the exit status.
int RunPlan(const update::Options& options, bool json);

}  // namespace mcr::cli

#endif  // MCR_CLI_RUN_PLAN_H_
