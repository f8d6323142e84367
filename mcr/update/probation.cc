#include "mcr/update/probation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "checkpoint/cgroup_freezer.h"
#include "checkpoint/criu/kept_checkpoint.h"
#include "tracer/fatal_signal.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/signal_name.h"
#include "tracer/task_group.h"

namespace mcr::update {
namespace {

constexpr std::chrono::milliseconds kStopTimeout{2000};

// The unit of the service manager that a process belongs to; "" if none.
std::string UnitOf(pid_t pid) {
  const auto cgroups = tracer::ProcFs().ReadText(pid, "cgroup");
  if (!cgroups) return "";
  const size_t end = cgroups->find(".service");
  if (end == std::string::npos) return "";
  const size_t begin = cgroups->rfind('/', end) + 1;
  return cgroups->substr(begin, cgroups->find_first_of("/\n", end) - begin);
}

}  // namespace

Status CheckCanBeWatched(const Inspection& server) {
  const pid_t root = server.pids.front();
  const std::string where = "PID " + std::to_string(root);
  if (!UsesCriu(server.checkpoint)) {
    return Fail("a version on probation needs a checkpoint by CRIU to go back to", where,
                "use --checkpoint=criu with --watch, or leave that out");
  }
  const std::string unit = UnitOf(root);
  if (!unit.empty() && unit != UnitOf(getpid())) {
    return Fail("the service manager starts " + unit +
                    " again as soon as its processes end, which is a part of bringing them back",
                where, "leave --watch out");
  }
  const tracer::ProcFs procfs;
  for (const char* name : {"ns/pid", "ns/mnt", "ns/net"}) {
    MCR_ASSIGN(const std::string ours, procfs.ReadLink(getpid(), name));
    MCR_ASSIGN(const std::string theirs, procfs.ReadLink(root, name));
    if (ours == theirs) continue;
    return Fail("the server is in another namespace than mcr, where it cannot be brought back to",
                where + ", " + name, "run mcr inside, or leave --watch out");
  }
  return {};
}

Result<Probation> Probation::Prepare(const PausedServer& server) {
  Probation probation;
  MCR_ASSIGN(const std::vector<pid_t> pids, tracer::ProcFs().Tree(server.images().front()->pid()));
  probation.pids_.insert(pids.begin(), pids.end());
  MCR_ASSIGN(const auto connections, checkpoint::FindConnections(pids));
  for (const auto& connection : connections) probation.marks_.insert(connection.mark);
  probation.files_ = OpenFiles::Of(pids);
  return probation;
}

Status Probation::Watch(PausedServer& server, const std::string& criu, std::chrono::seconds time,
                        ProbationReport& report) {
  const auto began = std::chrono::steady_clock::now();
  MCR_ASSIGN(const std::optional<tracer::FatalSignal> fatal,
             tracer::AwaitFatalSignal(server.tasks(), time));
  report.watched_ms = std::chrono::duration<double, std::milli>(
                          fatal ? fatal->after : std::chrono::steady_clock::now() - began)
                          .count();
  if (!fatal) return server.tasks().DetachAll();
  report.signal = tracer::SignalName(fatal->signal);
  report.pid = fatal->pid;
  const std::string what = fmt::format("the new version got {} {:.1f} s after the commit",
                                       report.signal, report.watched_ms / 1000);
  const std::string where = fmt::format("PID {}", fatal->pid);
  // It goes the way it would have gone if nobody had watched.
  if (const Status possible = CheckCanComeBack(server); !possible) {
    (void)server.tasks().DetachAll();
    return Fail(what + ", and the old one cannot be brought back: " + possible.error().what,
                where + ", " + possible.error().where, "what is left of the server runs on");
  }
  if (const Status back = BringBack(server, criu, report); !back) {
    return Fail(what + ", and the old one could not be brought back: " + back.error().Line(), where,
                "start the server");
  }
  report.brought_back = true;
  return Fail(fmt::format("{}; the old one was brought back: {} connections go on, {} are lost",
                          what, report.connections_kept, report.connections_lost),
              where, "what the server did since the commit is undone: see its log");
}

// Whatever CRIU would only find out when the new version is gone.
Status Probation::CheckCanComeBack(PausedServer& server) const {
  MCR_TRY(files_.CheckUnchanged());
  MCR_TRY(server.tasks().InterruptAll(kStopTimeout));
  MCR_ASSIGN(const std::vector<pid_t> pids, tracer::ProcFs().Tree(server.images().front()->pid()));
  for (const pid_t pid : pids_) {
    const bool is_its_own = std::ranges::find(pids, pid) != pids.end();
    if (is_its_own || !tracer::ProcFs().Exists(pid)) continue;
    return Fail("another process has the PID of one of its own", "PID " + std::to_string(pid));
  }
  return {};
}

Status Probation::BringBack(PausedServer& server, const std::string& criu,
                            ProbationReport& report) {
  const pid_t root = server.images().front()->pid();
  MCR_TRY(EndNewVersion(server, report));
  MCR_TRY(checkpoint::RestoreImages(criu, *server.images_of_criu()));
  MCR_ASSIGN(const std::vector<pid_t> pids, tracer::ProcFs().Tree(root));
  MCR_TRY(server.cgroup().MoveBack(pids));
  return EndStaleConnections(pids);
}

// A connection on which nothing was said since the checkpoint ends unheard: CRIU makes it again.
Status Probation::EndNewVersion(PausedServer& server, ProbationReport& report) {
  MCR_ASSIGN(const std::vector<pid_t> pids, tracer::ProcFs().Tree(server.images().front()->pid()));
  report.processes_lost = static_cast<size_t>(
      std::ranges::count_if(pids, [&](pid_t pid) { return !pids_.contains(pid); }));
  // Until the processes have ended nobody else closes them.
  MCR_ASSIGN(const auto connections, checkpoint::FindConnections(pids));
  for (const auto& connection : connections) {
    if (marks_.contains(connection.mark) && checkpoint::MuteConnection(connection)) {
      kept_.insert(connection.ends);
    } else {
      checkpoint::ResetConnection(connection);
    }
  }
  report.connections_kept = kept_.size();
  report.connections_lost = connections.size() - kept_.size();
  MCR_TRY(server.cgroup().EndAll());
  // A stopped task is found to have ended only when it is to run on.
  MCR_TRY(server.tasks().ContinueAll());
  return server.tasks().DetachAll();
}

Status Probation::EndStaleConnections(const std::vector<pid_t>& pids) const {
  MCR_ASSIGN(const auto connections, checkpoint::FindConnections(pids));
  for (const auto& connection : connections) {
    if (!kept_.contains(connection.ends)) checkpoint::ResetConnection(connection);
  }
  return {};
}

}  // namespace mcr::update
