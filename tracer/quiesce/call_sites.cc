#include "tracer/quiesce/call_sites.h"

#include "mcr/base/system_call.h"
#include "tracer/sys/procfs.h"
#include "tracer/syscall_site.h"

namespace mcr::tracer {
namespace {

std::optional<CallSite> Lookup(const std::map<pid_t, CallSite>& sites, pid_t id) {
  const auto site = sites.find(id);
  if (site == sites.end()) return std::nullopt;
  return site->second;
}

}  // namespace

bool CallSites::Learn(const TracedProcess& process, pid_t tid, const std::set<long>& numbers) {
  parents_.insert_or_assign(process.pid, process.parent);
  if (by_thread_.contains(tid)) return true;
  const Result<SystemCallState> state = ProcFs().ReadSystemCall(process.pid, tid);
  if (!state || state->running || !BlockingCallName(state->number)) return false;
  if (!numbers.empty() && !numbers.contains(state->number)) return false;
  const CallSite site{state->number, state->instruction - kSyscallInstruction.size()};
  by_thread_.emplace(tid, site);
  by_process_.emplace(process.pid, site);
  by_parent_.emplace(process.parent, site);
  return true;
}

std::optional<CallSite> CallSites::Find(pid_t pid, pid_t tid) const {
  if (const auto own = Lookup(by_thread_, tid)) return own;
  if (const auto same_process = Lookup(by_process_, pid)) return same_process;
  const auto parent = parents_.find(pid);
  return parent == parents_.end() ? std::nullopt : Lookup(by_parent_, parent->second);
}

std::optional<CallSite> CallSites::FindOwn(pid_t tid) const { return Lookup(by_thread_, tid); }

}  // namespace mcr::tracer
