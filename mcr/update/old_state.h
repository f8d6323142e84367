// What validation remembers of processes as they were: taken in the pause, before anything is
// written.
#ifndef MCR_UPDATE_OLD_STATE_H_
#define MCR_UPDATE_OLD_STATE_H_

#include <sched.h>
#include <sys/types.h>

#include <map>
#include <memory>
#include <vector>

#include "checkpoint/graft/executor.h"
#include "checkpoint/live_image.h"
#include "mcr/base/result.h"
#include "mutator/merge/account.h"
#include "mutator/merge/merge.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/validate/before_memory.h"
#include "mutator/validate/start_check.h"

namespace mcr::update {

class OldState {
 public:
  using Images = std::vector<std::unique_ptr<checkpoint::LiveImage>>;
  // All but the preparation outlives this. `pairs`: what `plan` was made from, in the order of
  // `live`. `helpers`: processors that may be used beside the caller's.
  static Result<OldState> Remember(const mutator::MergePlan& plan,
                                   const checkpoint::GraftPreparation& preparation,
                                   const Images& live,
                                   const std::vector<mutator::ProcessPair>& pairs,
                                   const cpu_set_t& helpers);

  struct Process {
    const checkpoint::LiveImage& live;                 // but for its memory, which is written to
    std::unique_ptr<const mutator::StartCheck> start;  // nullptr: no start of the old version
    const checkpoint::ProcessGraft& graft;             // with placeholders
    const mutator::Account& account;
    mutator::Overwritten overwritten;
  };
  // nullptr: the plan does nothing to it.
  const Process* Find(pid_t pid) const;

 private:
  std::map<pid_t, Process> processes_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_OLD_STATE_H_
