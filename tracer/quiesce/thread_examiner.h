// Whether a stopped thread is at a quiescent point.
#ifndef MCR_TRACER_QUIESCE_THREAD_EXAMINER_H_
#define MCR_TRACER_QUIESCE_THREAD_EXAMINER_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mcr/base/mapping.h"
#include "mcr/base/result.h"
#include "profiles/profile.h"
#include "tracer/quiesce/call_sites.h"
#include "tracer/quiesce/quiesce.h"
#include "tracer/sys/memory.h"
#include "tracer/task.h"
#include "tracer/unwind.h"

namespace mcr::tracer {

class ThreadExaminer {
 public:
  // All but the unwinder must outlive the examiner; `profile` may be nullptr. `calls`: those of the
  // profile's points.
  ThreadExaminer(const profiles::Profile* profile, const std::set<long>& calls,
                 const QuiesceOptions& options, const CallSites& sites,
                 std::unique_ptr<Unwinder> unwinder)
      : profile_(profile),
        calls_(calls),
        options_(options),
        sites_(sites),
        unwinder_(std::move(unwinder)) {}

  // Reads what is needed of a process before the pause.
  Status Prepare(pid_t pid);
  // Unwinds from these registers of a thread that runs on: what is read of files is kept.
  void LookAhead(pid_t pid, const Registers& registers);
  // A process has executed another program, or is gone.
  void Forget(pid_t pid) { processes_.erase(pid); }

  // nullopt: it is not at a quiescent point, or a signal is waiting for it; it has to run on.
  Result<std::optional<QuiescentThread>> Examine(const Task& task);

  // What a thread is doing, for a person: "in read, called from f, main".
  std::string Describe(const Task& task);

 private:
  struct Process {
    LiveMemory memory;
    Mappings mappings;
  };
  struct Candidate {
    long number = 0;
    Registers registers = {};
  };

  Result<Process*> Open(pid_t pid);
  bool IsPointCall(const Task& task, long number) const;
  std::optional<Candidate> FindCandidate(const Task& task, const Registers& registers);
  Result<std::vector<Frame>> Unwind(const Task& task, const Registers& registers);
  std::vector<std::string> FunctionNames(pid_t pid, const std::vector<Frame>& stack) const;
  bool IsPoint(const Task& task, const Candidate& candidate, const std::vector<Frame>& stack,
               QuiescentThread& thread);

  const profiles::Profile* profile_;
  const std::set<long>& calls_;
  const QuiesceOptions& options_;
  const CallSites& sites_;
  std::unique_ptr<Unwinder> unwinder_;
  std::map<pid_t, Process> processes_;
  std::set<pid_t> program_threads_;  // that were seen to run functions of the program
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_QUIESCE_THREAD_EXAMINER_H_
