#include "mcr/update/component.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "mcr/update/problems.h"
#include "mcr/update/running_merge.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

void Append(const std::vector<std::string>& from, std::vector<std::string>& to) {
  std::ranges::copy(from, std::back_inserter(to));
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

}  // namespace

Component::Component(const Target& target, const Options& options, ServerReport& report)
    : target_(target), options_(options), report_(report) {
  report_.pid = target.pid;
}

Status Component::Inspect() {
  MCR_ASSIGN(server_, update::Inspect(target_, options_));
  DescribePrograms();
  MCR_ASSIGN(requirements_, Requirements::Create(target_.require, *server_));
  return RefuseProblems(server_->differences.problems);
}

Status Component::Rehearse() {
  MCR_ASSIGN(rehearsals_, Rehearsals::Run(*server_));
  Append(rehearsals_->warnings(), report_.warnings);
  merger_ = MakeMerger(*server_);
  MCR_ASSIGN(mutator::MergePlan expected, MergeRunning(*server_, *rehearsals_, *merger_));
  AddLikelyPointers(options_, expected);
  MCR_TRY(RefuseProblems(expected.problems));
  WatchMemory(expected);
  return {};
}

Status Component::Prepare(const cpu_set_t& helpers) {
  helpers_ = helpers;
  MCR_ASSIGN(paused_, PausedServer::Prepare(*server_, options_, helpers_));
  return {};
}

Status Component::Attach() { return paused_->Attach(); }

Status Component::Quiesce() {
  MCR_TRY(paused_->Quiesce());
  report_.quiescence_ms = paused_->quiescence_ms();
  DescribeProcesses();
  Append(paused_->assumed(), report_.warnings);
  return CheckRequirements();
}

Status Component::BeginCheckpoint() { return paused_->BeginCheckpoint(); }

void Component::Merge() {
  merged_ = MergePaused();
  if (*merged_) prepared_ = checkpoint::Graft::Prepare((*merged_)->graft);
}

Status Component::FinishCheckpoint() {
  MCR_ASSIGN(report_.criu_frozen_ms, paused_->FinishCheckpoint());
  return {};
}

Status Component::CheckPlan() {
  MCR_ASSIGN(plan_, *std::move(merged_));
  DescribePlan();
  AddLikelyPointers(options_, *plan_);
  return RefuseProblems(plan_->problems);
}

Status Component::Graft() {
  MCR_ASSIGN(checkpoint::GraftPreparation preparation, *std::move(prepared_));
  validator_.emplace(plan_->graft, watch_, helpers_);
  paused_->ExpectWrites();
  MCR_ASSIGN(graft_,
             checkpoint::Graft::Apply(
                 paused_->tasks(), plan_->graft, std::move(preparation),
                 [&](const tracer::TracedProcess& process) { return validator_->Add(process); }));
  return {};
}

Status Component::Validate() { return validator_->Finish(); }

Status Component::PrepareCommit() { return graft_->PrepareCommit(); }

// From here on the server runs the new version, whatever else there is to say.
void Component::Commit() {
  graft_->Commit();
  if (const Status resumed = paused_->Resume(); !resumed) {
    report_.warnings.push_back(resumed.error().Line());
  }
}

void Component::Conclude() {
  DescribeMemory();
  Append(graft_->warnings(), report_.warnings);
}

Result<mutator::MergePlan> Component::MergePaused() {
  std::vector<mutator::ProcessPair> pairs;
  for (size_t i = 0; i < paused_->images().size(); ++i) {
    pairs.push_back(rehearsals_->PairFor(*paused_->images()[i], paused_->stacks()[i]));
    pairs.back().memo = watch_.MemoFor(paused_->images()[i]->pid());
  }
  return merger_->Merge(pairs);
}

// What the operator asked for has to hold in this very moment.
Status Component::CheckRequirements() {
  std::vector<const checkpoint::ProcessImage*> processes;
  for (const auto& image : paused_->images()) processes.push_back(image.get());
  for (Check& check : requirements_->Evaluate(processes)) {
    report_.validation.push_back(std::move(check));
    const Check& last = report_.validation.back();
    if (!last.ok) return Fail("--require: " + last.detail, "", "try again when it does");
  }
  return {};
}

// Without a watch the pause is longer, and nothing else.
void Component::WatchMemory(const mutator::MergePlan& expected) {
  auto watch = MemoryWatch::Begin(*server_, expected);
  if (watch) {
    watch_ = *std::move(watch);
  } else {
    report_.warnings.push_back("all memory is searched in the pause: " + watch.error().Line());
  }
}

// The first problem is the reason; the report lists them all.
Status Component::RefuseProblems(const std::vector<std::string>& problems) {
  report_.problems = problems;
  if (problems.empty()) return {};
  return Fail(SumUp(problems), "", "see `mcr plan`, or restart the server for this update");
}

void Component::DescribePrograms() {
  report_.old_program = server_->executable;
  report_.new_program = server_->new_program;
  report_.old_build_id = server_->before->build_id();
  report_.new_build_id = server_->after->build_id();
  report_.types = server_->types;
}

void Component::DescribeProcesses() {
  const tracer::ProcFs procfs;
  for (const tracer::TracedProcess& process : paused_->tasks().processes()) {
    ProcessReport entry;
    entry.pid = process.pid;
    entry.role = RoleOf(*paused_, process.pid);
    entry.threads = static_cast<int>(process.tasks.size());
    if (const auto descriptors = procfs.Descriptors(process.pid)) {
      entry.descriptors = static_cast<int>(descriptors->size());
    }
    entry.quiescent_points = PointsOf(*paused_, process.pid);
    report_.processes.push_back(std::move(entry));
  }
}

void Component::DescribePlan() {
  report_.pointers = plan_->pointers;
  report_.variables = plan_->variables;
  report_.objects = plan_->objects;
  report_.conflicts = plan_->conflicts;
  Append(plan_->warnings, report_.warnings);
}

void Component::DescribeMemory() {
  for (const auto& image : paused_->images()) {
    for (const checkpoint::ProcessGraft& graft : plan_->graft.processes) {
      if (graft.pid != image->pid()) continue;
      report_.memory.push_back(
          update::DescribeMemory(graft, server_->NewPaths(), image->mappings()));
    }
  }
}

std::string Component::name() const {
  const std::string program = std::filesystem::path(report_.old_program).filename();
  return fmt::format("PID {}{}", target_.pid, program.empty() ? "" : " (" + program + ")");
}

std::string Component::DescribeTree() const {
  return fmt::format("{} process{}, {} of {} functions changed, {}", server_->pids.size(),
                     server_->pids.size() == 1 ? "" : "es", server_->changed_functions.size(),
                     server_->functions(),
                     server_->profile ? "profile " + server_->profile->identity().name()
                                      : std::string("no profile"));
}

std::string Component::DescribePointers() const {
  return fmt::format("{} pointers retargeted, {} variables kept, {} from the new version",
                     plan_->pointers.retargeted(), plan_->variables.kept,
                     plan_->variables.initialised);
}

}  // namespace mcr::update
