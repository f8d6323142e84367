// What validation remembers of processes as they were: taken in the pause, before anything is
// written.
#ifndef MCR_UPDATE_OLD_STATE_H_
#define MCR_UPDATE_OLD_STATE_H_

#include <sys/types.h>

#include <map>
#include <memory>

#include "checkpoint/graft/memory_patch.h"
#include "checkpoint/graft/plan.h"
#include "checkpoint/live_image.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mcr/update/rehearse.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/account.h"
#include "mutator/validate/before_memory.h"
#include "mutator/validate/start_check.h"

namespace mcr::update {

class OldState {
 public:
  // To be made before the pause. The rehearsals outlive this.
  explicit OldState(const Rehearsals& rehearsals);

  // All but `patch`, which is of `graft`, outlives this. `base`: the rehearsed process of the old
  // version that `live` corresponds to; nullptr: none. Reads nothing but `live`.
  Status Remember(const checkpoint::ProcessGraft& graft, const mutator::Account& account,
                  const checkpoint::MemoryPatch& patch, const checkpoint::LiveImage& live,
                  const checkpoint::ProcessImage* base);

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
  std::map<const checkpoint::ProcessImage*, mutator::LoadedModules> start_modules_;
  std::map<pid_t, Process> processes_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_OLD_STATE_H_
