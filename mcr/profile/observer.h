// Looks at a running server: which of its threads wait, in which calls, and who called them.
#ifndef MCR_PROFILE_OBSERVER_H_
#define MCR_PROFILE_OBSERVER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/profile/sighting.h"
#include "mutator/debuginfo/program.h"
#include "mutator/filter/learned_invariants.h"
#include "mutator/filter/state_filter.h"
#include "tracer/task_group.h"
#include "tracer/unwind.h"

namespace mcr::profile {

class Observer {
 public:
  // `root`: the server's main process.
  static Result<Observer> Create(pid_t root, const std::vector<std::string>& debug_dirs);

  // Those of an earlier run, of which these looks are to leave what still holds. Of variables that
  // the program does not have, nothing does.
  void Recheck(const std::vector<std::string>& invariants);

  // Stops all threads for a moment; the calls in which they are go on.
  Result<Look> TakeLook();

  // What was true of the program's variables in all looks, and in the earlier run if there was one.
  std::vector<std::string> Invariants() const;

  const std::string& executable() const { return executable_; }

 private:
  Observer(pid_t root, std::string executable, std::shared_ptr<const mutator::Program> program,
           std::unique_ptr<tracer::Unwinder> unwinder)
      : root_(root),
        executable_(std::move(executable)),
        program_(std::move(program)),
        unwinder_(std::move(unwinder)),
        invariants_(program_) {}

  // `asleep`: the stack pointers of the threads that slept before they were stopped.
  void LookAt(const tracer::TracedProcess& process, const std::map<pid_t, uint64_t>& asleep,
              Look& look);

  pid_t root_;
  std::string executable_;
  std::shared_ptr<const mutator::Program> program_;
  std::unique_ptr<tracer::Unwinder> unwinder_;
  mutator::LearnedInvariants invariants_;
  std::vector<mutator::StateFilter> known_;
  bool has_known_ = false;
};

}  // namespace mcr::profile

#endif  // MCR_PROFILE_OBSERVER_H_
