#include "mcr/update/update.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/executor.h"
#include "mcr/update/inspect.h"
#include "mcr/update/memory_watch.h"
#include "mcr/update/paused_server.h"
#include "mcr/update/rehearse.h"
#include "mcr/update/requirements.h"
#include "mcr/update/running_merge.h"
#include "mcr/update/timeline.h"
#include "mcr/update/validator.h"
#include "mutator/merge/merge.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

// The first problem is the reason; the report lists them all.
Status RefuseProblems(const std::vector<std::string>& problems, Report& report) {
  report.problems = problems;
  if (problems.empty()) return {};
  std::string reason = problems.front();
  if (problems.size() > 1) reason += fmt::format(" (and {} more)", problems.size() - 1);
  return Fail(std::move(reason), "", "see `mcr plan`, or restart the server for this update");
}

void DescribePrograms(const Inspection& server, Report& report) {
  report.old_program = server.executable;
  report.new_program = server.new_program;
  report.old_build_id = server.before->build_id();
  report.new_build_id = server.after->build_id();
  report.types = server.types;
}

std::string RoleOf(const PausedServer& paused, pid_t pid) {
  for (const tracer::QuiescentThread& thread : paused.threads()) {
    if (thread.tid == pid) return thread.role;
  }
  return "";
}

std::vector<ThreadReport> PointsOf(PausedServer& paused, pid_t pid) {
  std::vector<ThreadReport> points;
  for (const tracer::QuiescentThread& thread : paused.threads()) {
    if (thread.pid == pid)
      points.push_back({thread.tid, thread.system_call, paused.CallerOf(thread)});
  }
  return points;
}

void DescribeProcesses(PausedServer& paused, Report& report) {
  const tracer::ProcFs procfs;
  for (const tracer::TracedProcess& process : paused.tasks().processes()) {
    ProcessReport entry;
    entry.pid = process.pid;
    entry.role = RoleOf(paused, process.pid);
    entry.threads = static_cast<int>(process.tasks.size());
    if (const auto descriptors = procfs.Descriptors(process.pid)) {
      entry.descriptors = static_cast<int>(descriptors->size());
    }
    entry.quiescent_points = PointsOf(paused, process.pid);
    report.processes.push_back(std::move(entry));
  }
}

std::vector<mutator::ProcessPair> PairPaused(const Rehearsals& rehearsals,
                                             const PausedServer& paused, const MemoryWatch& watch) {
  std::vector<mutator::ProcessPair> pairs;
  for (size_t i = 0; i < paused.images().size(); ++i) {
    pairs.push_back(rehearsals.PairFor(*paused.images()[i], paused.stacks()[i]));
    pairs.back().memo = watch.MemoFor(paused.images()[i]->pid());
  }
  return pairs;
}

void DescribePlan(const mutator::MergePlan& plan, Report& report) {
  report.pointers = plan.pointers;
  report.variables = plan.variables;
  report.objects = plan.objects;
  report.conflicts = plan.conflicts;
  std::ranges::copy(plan.warnings, std::back_inserter(report.warnings));
}

void DescribeMemories(const mutator::MergePlan& plan, const PausedServer& paused, Report& report) {
  for (const auto& image : paused.images()) {
    for (const checkpoint::ProcessGraft& graft : plan.graft.processes) {
      if (graft.pid != image->pid()) continue;
      report.memory.push_back(DescribeMemory(graft, plan.graft.new_files, image->mappings()));
    }
  }
}

std::string DescribeTree(const Inspection& server) {
  return fmt::format(
      "{} process{}, {} of {} functions changed, {}", server.pids.size(),
      server.pids.size() == 1 ? "" : "es", server.changed_functions.size(), server.functions(),
      server.profile ? "profile " + server.profile->identity().name() : std::string("no profile"));
}

std::string DescribePointers(const mutator::MergePlan& plan) {
  return fmt::format("{} pointers retargeted, {} variables kept, {} from the new version",
                     plan.pointers.retargeted(), plan.variables.kept, plan.variables.initialised);
}

// Without a watch the pause is longer, and nothing else.
MemoryWatch WatchMemory(const Inspection& server, const mutator::MergePlan& expected,
                        Report& report) {
  auto watch = MemoryWatch::Begin(server, expected);
  if (watch) return *std::move(watch);
  report.warnings.push_back("all memory is searched in the pause: " + watch.error().Line());
  return {};
}

// What the operator asked for has to hold in this very moment.
Status CheckRequirements(const Requirements& requirements, const PausedServer& paused,
                         Report& report) {
  std::vector<const checkpoint::ProcessImage*> processes;
  for (const auto& image : paused.images()) processes.push_back(image.get());
  for (Check& check : requirements.Evaluate(processes)) {
    report.validation.push_back(std::move(check));
    const Check& last = report.validation.back();
    if (!last.ok) return Fail("--require: " + last.detail, "", "try again when it does");
  }
  return {};
}

std::string DescribeChecks(const std::vector<Check>& checks) {
  uint64_t checked = 0;
  for (const Check& check : checks) checked += check.checked;
  return fmt::format("{} checks, {} pointers, objects and values are right", checks.size(),
                     checked);
}

// The protocol. Leaving it early, anywhere, undoes what was done: every value here owns its part of
// that.
Status RunStages(const Options& options, Timeline& timeline, Report& report) {
  timeline.Enter(Stage::kInspect);
  MCR_ASSIGN(const Inspection server, Inspect(options));
  DescribePrograms(server, report);
  MCR_ASSIGN(const Requirements requirements, Requirements::Create(options.require, server));
  MCR_TRY(RefuseProblems(server.differences.problems, report));
  MCR_TRY(InjectFault(options.fault, Fault::kInspect));
  timeline.Leave(DescribeTree(server));

  timeline.Enter(Stage::kRehearse);
  MCR_ASSIGN(const Rehearsals rehearsals, Rehearsals::Run(server));
  report.warnings = rehearsals.warnings();
  mutator::Merger merger = MakeMerger(server);
  MCR_ASSIGN(const mutator::MergePlan expected, MergeRunning(server, rehearsals, merger));
  MCR_TRY(RefuseProblems(expected.problems, report));
  const MemoryWatch watch = WatchMemory(server, expected, report);
  const auto versions = PairVersions(server.modules);
  MCR_TRY(InjectFault(options.fault, Fault::kRehearse));
  timeline.Leave(fmt::format("{} processes of the new version idle", rehearsals.processes()));

  timeline.Enter(Stage::kQuiesce);
  MCR_ASSIGN(const auto paused, PausedServer::Prepare(server, options));
  timeline.PauseBegins();
  MCR_TRY(paused->Quiesce());
  report.quiescence_ms = paused->quiescence_ms();
  DescribeProcesses(*paused, report);
  std::ranges::copy(paused->assumed(), std::back_inserter(report.warnings));
  MCR_TRY(CheckRequirements(requirements, *paused, report));
  MCR_TRY(InjectFault(options.fault, Fault::kQuiesce));
  timeline.Leave(fmt::format("{} threads at their quiescent points", paused->threads().size()));

  // CRIU only reads, and so does the merge: they work side by side.
  timeline.Enter(Stage::kCheckpoint);
  MCR_TRY(paused->BeginCheckpoint());
  const auto merge_began = std::chrono::steady_clock::now();
  const auto pairs = PairPaused(rehearsals, *paused, watch);
  Result<mutator::MergePlan> merged = merger.Merge(pairs);
  auto prepared = merged ? checkpoint::Graft::Prepare(merged->graft)
                         : Result<checkpoint::GraftPreparation>(Fail("nothing to prepare"));
  auto remembered =
      merged ? OldState::Remember(*merged, pairs) : Result<OldState>(Fail("nothing to remember"));
  const auto merge_took = std::chrono::steady_clock::now() - merge_began;
  MCR_ASSIGN(report.criu_frozen_ms, paused->FinishCheckpoint());
  MCR_TRY(InjectFault(options.fault, Fault::kCheckpoint));
  timeline.Leave("checkpoint taken");

  timeline.Enter(Stage::kMerge);
  MCR_ASSIGN(const mutator::MergePlan plan, std::move(merged));
  DescribePlan(plan, report);
  MCR_TRY(RefuseProblems(plan.problems, report));
  MCR_TRY(InjectFault(options.fault, Fault::kMerge));
  timeline.Leave(DescribePointers(plan), merge_began, merge_took);

  timeline.Enter(Stage::kGraft);
  MCR_ASSIGN(checkpoint::GraftPreparation preparation, std::move(prepared));
  MCR_ASSIGN(const OldState before, std::move(remembered));
  Validator validator({plan, watch, before, versions, paused->other_processors()});
  paused->ExpectWrites();
  MCR_ASSIGN(const auto graft,
             checkpoint::Graft::Apply(
                 paused->tasks(), plan.graft, std::move(preparation),
                 [&](const tracer::TracedProcess& process, const checkpoint::ProcessGraft& done) {
                   return validator.Add(process, done);
                 }));
  MCR_TRY(InjectFault(options.fault, Fault::kGraft));
  timeline.Leave(fmt::format("{} processes carry the new program", plan.graft.processes.size()));

  timeline.Enter(Stage::kValidate);
  MCR_TRY(validator.Finish(report.validation));
  MCR_TRY(InjectFault(options.fault, Fault::kValidate));
  timeline.Leave(DescribeChecks(report.validation));

  timeline.Enter(Stage::kCommit);
  MCR_TRY(InjectFault(options.fault, Fault::kCommit));
  MCR_TRY(graft->Commit());
  // From here on the server runs the new version, whatever else there is to say.
  if (const Status resumed = paused->Resume(); !resumed) {
    report.warnings.push_back(resumed.error().Line());
  }
  timeline.PauseEnds();
  DescribeMemories(plan, *paused, report);
  std::ranges::copy(graft->warnings(), std::back_inserter(report.warnings));
  timeline.Leave(fmt::format("the new version runs after a pause of {:.1f} ms", report.pause_ms));
  return {};
}

void Conclude(const Status& status, const Timeline& timeline, Outcome paused, Outcome untouched,
              Report& report) {
  if (status) {
    report.outcome = Outcome::kUpdated;
    return;
  }
  report.outcome = timeline.was_paused() ? paused : untouched;
  report.stage = Name(timeline.stage());
  report.reason = status.error().Line();
}

}  // namespace

Report Update(const Options& options) {
  Report report;
  Timeline timeline(options, report);
  const Status status = RunStages(options, timeline, report);
  if (!status) timeline.PauseEnds();
  Conclude(status, timeline, Outcome::kRolledBack, Outcome::kRefused, report);
  return report;
}

}  // namespace mcr::update
