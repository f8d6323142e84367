#include "mcr/update/component.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "checkpoint/graft/plan.h"
#include "mcr/base/fault.h"
#include "mcr/update/kept_inputs.h"
#include "mcr/update/problems.h"
#include "mcr/update/processor_time.h"
#include "mcr/update/running_merge.h"
#include "mutator/merge/plan_bytes.h"
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
  MCR_TRY(RefuseProblems(server_->differences.problems));
  if (options_.watch.count() > 0) {
    MCR_TRY(CheckCanBeWatched(*server_));
    server_->twins_will_do = false;
  }
  return PrepareKeeping();
}

Status Component::Rehearse() {
  MCR_ASSIGN(rehearsals_, Rehearsals::Run(*server_));
  Append(server_->Warnings(), report_.warnings);
  Append(rehearsals_->warnings(), report_.warnings);
  const double idle = ProcessorMs(CLOCK_PROCESS_CPUTIME_ID);
  merger_ = MakeMerger(*server_);
  MCR_ASSIGN(const mutator::MergePlan expected, MergeRunning(*server_, *rehearsals_, *merger_));
  MCR_TRY(RefuseProblems(expected));
  versions_ = PairVersions(server_->modules);
  old_state_.emplace(*rehearsals_);
  invariants_ = Invariants::Of(*server_);
  invariants_->Note(server_->pids);
  if (kept_) {
    MCR_TRY(KeepInputs(*server_, *rehearsals_, {options_.debug_dirs}, kept_->directory()));
  }
  WatchMemory(expected);
  MCR_TRY(options_.undo_log->Reserve(checkpoint::Graft::UndoSize(expected.graft)));
  report_.plan_cpu_outside_ms = ProcessorMs(CLOCK_PROCESS_CPUTIME_ID) - idle;
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
  if (options_.watch.count() > 0) {
    MCR_ASSIGN(probation_, Probation::Prepare(*paused_));
  }
  return CheckRequirements();
}

Status Component::BeginCheckpoint() { return paused_->BeginCheckpoint(); }

void Component::BeginMerge() {
  std::vector<mutator::ProcessPair> pairs;
  for (size_t i = 0; i < paused_->images().size(); ++i) {
    pairs.push_back(rehearsals_->PairFor(*paused_->images()[i], paused_->stacks()[i]));
    pairs.back().memo = watch_.MemoFor(paused_->images()[i]->pid());
  }
  merge_ = std::make_unique<PausedMerge>(*merger_, std::move(pairs), paused_->images(),
                                         *std::move(old_state_));
  // While CRIU works on the other processors the tracer only waits, but it makes twins itself, and
  // those are soon made.
  if (UsesCriu(server_->checkpoint)) {
    merge_->Begin(PausedMerge::Preparer::kMerger, std::nullopt);
  } else {
    merge_->Begin(PausedMerge::Preparer::kCaller, helpers_);
  }
}

Status Component::TakeCheckpoint() {
  MCR_ASSIGN(report_.criu_frozen_ms, paused_->TakeCheckpoint());
  Append(paused_->warnings(), report_.warnings);
  return {};
}

Status Component::CheckPlan() {
  MCR_TRY(merge_->Finish());
  report_.plan_cpu_in_pause_ms = merge_->cpu_ms();
  DescribePlan();
  // Digests take time, which the pause has not.
  if (!merge_->plan().problems.empty()) report_.plan_digest = mutator::Digest(merge_->plan());
  const Status refused = RefuseProblems(merge_->plan());
  // There were none before the pause.
  report_.problems_may_pass = report_.problems_may_pass || merge_->plan().ProblemsAreOfTheMoment();
  return refused;
}

Status Component::Graft() {
  const checkpoint::GraftPlan& plan = merge_->plan().graft;
  paused_->ExpectWrites();
  MCR_ASSIGN(graft_, checkpoint::Graft::Apply(paused_->tasks(), plan, merge_->TakePreparation(),
                                              *options_.undo_log, helpers_));
  return {};
}

Status Component::Validate() {
  return update::Validate(paused_->tasks(), graft_->applied(),
                          {watch_, merge_->old_state(), versions_, *invariants_, helpers_},
                          {report_.validation, report_.warnings});
}

Status Component::PrepareCommit() { return graft_->PrepareCommit(); }

// From here on the server runs the new version, whatever else there is to say.
void Component::Commit() {
  graft_->Commit();
  committed_ = true;
  if (const Status removed = paused_->RemoveWorkspaces(); !removed) {
    report_.warnings.push_back(removed.error().Line());
  }
}

void Component::Undo() {
  if (merge_) merge_->Wait();  // it reads what is put back
  graft_.reset();
  if (paused_) paused_->PutBack();
}

void Component::Resume() {
  if (!is_paused()) return;
  const Status resumed = probation_ && committed_ ? paused_->ResumeTraced() : paused_->Resume();
  if (!resumed) {
    report_.warnings.push_back(resumed.error().Line());
  }
}

Status Component::Watch() {
  rehearsals_.reset();  // nobody needs to compare any more
  ProbationReport& probation = report_.probation.emplace();
  const Status watched = probation_->Watch(*paused_, server_->criu, options_.watch, probation);
  if (watched || !probation.signal.empty()) return watched;
  // It was the watching that failed: nothing is wrong with the new version, which runs on.
  report_.warnings.push_back("its probation has ended early: " + watched.error().Line());
  return {};
}

void Component::Conclude() {
  if (kept_) {
    const Status filled = kept_->Fill(*paused_->images_of_criu());
    if (!filled) report_.warnings.push_back(filled.error().Line());
  }
  report_.plan_digest = mutator::Digest(merge_->plan());
  DescribeMemory();
  Append(graft_->warnings(), report_.warnings);
}

// Where the checkpoint is kept, if it is to be.
Status Component::PrepareKeeping() {
  if (options_.keep_checkpoint.empty()) return {};
  if (!UsesCriu(server_->checkpoint)) {
    return Fail("a twin cannot be kept", "", "use --checkpoint=criu with --keep-checkpoint");
  }
  MCR_ASSIGN(checkpoint::KeptCheckpoint kept,
             checkpoint::KeptCheckpoint::Create(options_.keep_checkpoint));
  kept_.emplace(std::move(kept));
  return {};
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
  auto watch = MemoryWatch::Begin(*server_, expected, *options_.undo_log);
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

Status Component::RefuseProblems(const mutator::MergePlan& plan) {
  report_.problems_may_pass = plan.ProblemsMayPass();
  return RefuseProblems(plan.problems);
}

void Component::DescribePrograms() {
  report_.old_program = server_->executable;
  report_.new_program = server_->new_program;
  report_.old_build_id = server_->before->build_id();
  report_.new_build_id = server_->after->build_id();
  report_.types = server_->types;
}

void Component::DescribeProcesses() {
  for (const tracer::TracedProcess& process : paused_->tasks().processes()) {
    ProcessReport entry;
    entry.pid = process.pid;
    entry.role = RoleOf(*paused_, process.pid);
    entry.threads = static_cast<int>(process.tasks.size());
    entry.descriptors = static_cast<int>(paused_->descriptors(process.pid));
    entry.quiescent_points = PointsOf(*paused_, process.pid);
    report_.processes.push_back(std::move(entry));
  }
}

void Component::DescribePlan() {
  report_.pointers = merge_->plan().pointers;
  report_.variables = merge_->plan().variables;
  report_.objects = merge_->plan().objects;
  report_.conflicts = merge_->plan().conflicts;
  Append(merge_->plan().warnings, report_.warnings);
}

void Component::DescribeMemory() {
  for (const auto& image : paused_->images()) {
    for (const checkpoint::ProcessGraft& graft : merge_->plan().graft.processes) {
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

size_t Component::checked() const {
  size_t sum = 0;
  for (const Check& check : report_.validation) sum += check.checked;
  return sum;
}

std::string Component::DescribePointers() const {
  return fmt::format("{} pointers retargeted, {} variables kept, {} from the new version",
                     merge_->plan().pointers.retargeted(), merge_->plan().variables.kept,
                     merge_->plan().variables.initialised);
}

}  // namespace mcr::update
