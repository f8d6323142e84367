// Stage 7: does anything still point into the files that are about to be unmapped? Each process is
// looked at as soon as it carries the new program, on another processor, while the next one is
// grafted.
#ifndef MCR_UPDATE_VALIDATOR_H_
#define MCR_UPDATE_VALIDATOR_H_

#include <sched.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/live_image.h"
#include "mcr/base/result.h"
#include "mcr/update/memory_watch.h"
#include "tracer/task_group.h"

namespace mcr::update {

class Validator {
 public:
  using Images = std::vector<std::unique_ptr<checkpoint::LiveImage>>;
  // `plan`: what is being applied. `watch`: what was searched before. `before`: the processes as
  // they were. All outlive the validator. `processors`: where it may run.
  Validator(const checkpoint::GraftPlan& plan, const MemoryWatch& watch, const Images& before,
            const cpu_set_t& processors)
      : plan_(plan), watch_(watch), before_(before), processors_(processors) {}

  // The process stays stopped and unchanged until Finish. The first one stands for the others where
  // they share memory.
  Status Add(const tracer::TracedProcess& process);

  // Waits for all, and fails with the first thing that was found.
  Status Finish();

 private:
  using LeftBehind = Result<std::vector<std::string>>;

  const checkpoint::GraftPlan& plan_;
  const MemoryWatch& watch_;
  const Images& before_;
  cpu_set_t processors_;
  std::vector<std::future<LeftBehind>> running_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_VALIDATOR_H_
