#include "mcr/update/update.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "mcr/base/fault.h"
#include "mcr/update/component.h"
#include "mcr/update/timeline.h"
#include "tracer/sys/affinity.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

// The servers that are updated together.
class Components {
 public:
  Components(const Options& options, Report& report) : log_(*options.undo_log) {
    report.servers.resize(options.servers.size());
    for (size_t i = 0; i < options.servers.size(); ++i) {
      all_.push_back(std::make_unique<Component>(options.servers[i], options, report.servers[i]));
    }
  }

  Components(const Components&) = delete;
  Components& operator=(const Components&) = delete;

  // What was not committed is put back in all of them before any runs on.
  ~Components() {
    Each(&Component::Undo);
    Resume();
  }

  // Takes a step for each, up to the first for which it fails.
  template <class... Parameters, class... Arguments>
  Status Each(Status (Component::*step)(Parameters...), const Arguments&... arguments) {
    for (const auto& component : all_) {
      Status taken = (component.get()->*step)(arguments...);
      if (!taken) return Name(*component, std::move(taken.error()));
    }
    return {};
  }
  void Each(void (Component::*step)()) {
    for (const auto& component : all_) (component.get()->*step)();
  }

  size_t Sum(size_t (Component::*count)() const) const {
    size_t sum = 0;
    for (const auto& component : all_) sum += (component.get()->*count)();
    return sum;
  }
  // From the first one's merge to the last one's.
  auto merge_began() const {
    return (*std::ranges::min_element(all_, {},
                                      [](const auto& server) { return server->merge_began(); }))
        ->merge_began();
  }
  auto merge_ended() const {
    return (*std::ranges::max_element(all_, {},
                                      [](const auto& server) { return server->merge_ended(); }))
        ->merge_ended();
  }
  std::string Join(std::string (Component::*describe)() const) const {
    std::string text;
    for (const auto& component : all_) {
      text += (text.empty() ? "" : "; ") + (component.get()->*describe)();
    }
    return text;
  }

  // The point of no return, in one record for all: whoever finds the log finishes what is behind it
  // and undoes what is not.
  Status Commit() {
    MCR_TRY(log_.Append(checkpoint::UndoKind::kCommitted));
    (void)FaultPoint(Fault::kCommitted);
    Each(&Component::Commit);
    Resume();
    return {};
  }

  // A process has one tracer, and CRIU dumps whole trees.
  Status CheckApart() const;

 private:
  void Resume() {
    if (std::ranges::none_of(all_, [](const auto& server) { return server->is_paused(); })) return;
    // From here on they may run, and what the log says is of the past.
    (void)log_.Append(checkpoint::UndoKind::kSettled);
    Each(&Component::Resume);
  }

  // Which of several it was.
  tl::unexpected<Error> Name(const Component& component, Error error) const {
    if (all_.size() > 1) {
      error.where += (error.where.empty() ? "" : ", ") + component.name();
    }
    return tl::make_unexpected(std::move(error));
  }

  checkpoint::UndoLog& log_;
  std::vector<std::unique_ptr<Component>> all_;
};

Status Components::CheckApart() const {
  const tracer::ProcFs procfs;
  for (const auto& component : all_) {
    const pid_t root = component->server().pids.front();
    MCR_ASSIGN(const std::vector<pid_t> below, procfs.Descendants(root));
    for (const auto& other : all_) {
      if (other == component) continue;
      const pid_t pid = other->server().pids.front();
      if (pid != root && std::ranges::find(below, pid) == below.end()) continue;
      return Fail("two of the servers are one process tree",
                  component->name() + ", PID " + std::to_string(pid),
                  "update them one after the other");
    }
  }
  return {};
}

// The update has ended before, so that this is not a part of its time.
Status WatchServers(const Options& options, Components& servers, Timeline& timeline) {
  if (options.watch.count() == 0) return {};
  timeline.Enter(Stage::kProbation);
  MCR_TRY(servers.Each(&Component::Watch));
  options.progress(
      Stage::kProbation,
      fmt::format("{:>8} s   no signal was about to end the new version", options.watch.count()));
  return {};
}

// The protocol. Leaving it early, anywhere, undoes what was done: every value here owns its part of
// that. Each step is taken for all servers before the next one is taken for any.
Status RunStages(const Options& options, Timeline& timeline, Report& report) {
  timeline.Enter(Stage::kInspect);
  Components servers(options, report);
  MCR_TRY(servers.Each(&Component::Inspect));
  MCR_TRY(servers.CheckApart());
  MCR_TRY(FaultPoint(Fault::kInspect));
  timeline.Leave(servers.Join(&Component::DescribeTree));

  timeline.Enter(Stage::kRehearse);
  MCR_TRY(servers.Each(&Component::Rehearse));
  MCR_TRY(FaultPoint(Fault::kRehearse));
  timeline.Leave(fmt::format("{} processes of the new version idle",
                             servers.Sum(&Component::rehearsed_processes)));

  timeline.Enter(Stage::kQuiesce);
  const tracer::PinnedToProcessor pinned;
  MCR_TRY(servers.Each(&Component::Prepare, pinned.others()));
  MCR_TRY(servers.Each(&Component::Attach));
  timeline.PauseBegins();
  MCR_TRY(servers.Each(&Component::Quiesce));
  MCR_TRY(FaultPoint(Fault::kQuiesce));
  timeline.Leave(
      fmt::format("{} threads at their quiescent points", servers.Sum(&Component::threads)));

  // Neither CRIU nor a fork changes anything, and the merge only reads: they work side by side.
  timeline.Enter(Stage::kCheckpoint);
  MCR_TRY(servers.Each(&Component::BeginCheckpoint));
  servers.Each(&Component::BeginMerge);
  MCR_TRY(servers.Each(&Component::TakeCheckpoint));
  MCR_TRY(FaultPoint(Fault::kCheckpoint));
  timeline.Leave("checkpoint taken");

  timeline.Enter(Stage::kMerge);
  MCR_TRY(servers.Each(&Component::CheckPlan));
  MCR_TRY(FaultPoint(Fault::kMerge));
  timeline.Leave(servers.Join(&Component::DescribePointers), servers.merge_began(),
                 servers.merge_ended() - servers.merge_began());

  timeline.Enter(Stage::kGraft);
  MCR_TRY(servers.Each(&Component::Graft));
  MCR_TRY(FaultPoint(Fault::kGraft));
  timeline.Leave(fmt::format("{} processes carry the new program",
                             servers.Sum(&Component::grafted_processes)));

  timeline.Enter(Stage::kValidate);
  MCR_TRY(servers.Each(&Component::Validate));
  MCR_TRY(FaultPoint(Fault::kValidate));
  timeline.Leave(
      fmt::format("{} pointers, objects and values are right", servers.Sum(&Component::checked)));

  timeline.Enter(Stage::kCommit);
  MCR_TRY(servers.Each(&Component::PrepareCommit));
  MCR_TRY(FaultPoint(Fault::kCommit));
  MCR_TRY(servers.Commit());
  timeline.PauseEnds();
  timeline.Leave(fmt::format("the new version runs after a pause of {:.1f} ms", report.pause_ms));
  const Status watched = WatchServers(options, servers, timeline);
  servers.Each(&Component::Conclude);
  return watched;
}

bool IsGone(const Target& server) {
  const auto status = tracer::ProcFs().ReadStatus(server.pid);
  return !status || status->state == 'Z' || status->state == 'X';
}

bool IsBroughtBack(const ServerReport& server) {
  return server.probation && server.probation->brought_back;
}

Outcome OutcomeOf(const Status& status, const Options& options, const Timeline& timeline,
                  const Report& report) {
  if (status) return Outcome::kUpdated;
  if (timeline.stage() == Stage::kProbation) {
    return std::ranges::all_of(report.servers, IsBroughtBack) ? Outcome::kBroughtBack
                                                              : Outcome::kLost;
  }
  if (!timeline.was_paused()) return Outcome::kRefused;
  return std::ranges::any_of(options.servers, IsGone) ? Outcome::kLost : Outcome::kRolledBack;
}

}  // namespace

Report Update(const Options& options) {
  Report report;
  Timeline timeline(options, report);
  const Status status = RunStages(options, timeline, report);
  if (!status) timeline.PauseEnds();
  report.outcome = OutcomeOf(status, options, timeline, report);
  if (status) return report;
  report.stage = Name(timeline.stage());
  report.reason = status.error().Line();
  return report;
}

}  // namespace mcr::update
