// Stage 7: does anything still point into the program that is about to be unmapped? Each process is
// looked at as soon as it carries the new program, on another processor, while the next one is
// grafted.
#ifndef MCR_UPDATE_VALIDATOR_H_
#define MCR_UPDATE_VALIDATOR_H_

#include <sched.h>

#include <future>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::update {

class Validator {
 public:
  // `processors`: where it may run.
  Validator(Range<Addr> old_program, const cpu_set_t& processors)
      : old_program_(old_program), processors_(processors) {}

  // The process stays stopped and unchanged until Finish. The first one stands for the others where
  // they share memory.
  Status Add(const tracer::TracedProcess& process);

  // Waits for all, and fails with the first thing that was found.
  Status Finish();

 private:
  using LeftBehind = Result<std::vector<std::string>>;

  Range<Addr> old_program_;
  cpu_set_t processors_;
  std::vector<std::future<LeftBehind>> running_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_VALIDATOR_H_
