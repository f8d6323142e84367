// Where in their code the threads of a server enter the calls in which they block.
#ifndef MCR_TRACER_QUIESCE_CALL_SITES_H_
#define MCR_TRACER_QUIESCE_CALL_SITES_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>

#include "mcr/base/address.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

struct CallSite {
  long number = 0;   // of the system call
  Addr instruction;  // the `syscall` instruction
};

// Learned from what /proc says about threads that sleep; no thread is stopped for it.
class CallSites {
 public:
  // Looks at a thread. True if it sleeps in one of `numbers` (empty: in any call), or is known
  // already.
  bool Learn(const TracedProcess& process, pid_t tid, const std::set<long>& numbers);

  // The thread's own, else that of another thread of its process, else that of a process with the
  // same parent: one that does the same work, forked with the same layout. nullopt if there is
  // none.
  std::optional<CallSite> Find(pid_t pid, pid_t tid) const;
  // The thread's own only.
  std::optional<CallSite> FindOwn(pid_t tid) const;

 private:
  std::map<pid_t, CallSite> by_thread_;
  std::map<pid_t, CallSite> by_process_;
  std::map<pid_t, CallSite> by_parent_;
  std::map<pid_t, pid_t> parents_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_QUIESCE_CALL_SITES_H_
