#include "mcr/update/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "checkpoint/live_image.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/left_behind.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/state_check.h"
#include "tracer/sys/side_work.h"

namespace mcr::update {
namespace {

using mutator::Finding;

Check ToCheck(const std::string& name, const std::string& what, const Finding& finding) {
  Check check{name, finding.wrong.empty(), finding.checked, what};
  if (!check.ok) check.detail = finding.wrong.front();
  return check;
}

struct Job {
  pid_t pid = 0;
  std::vector<checkpoint::ThreadImage> threads;
  std::vector<Range<Addr>> old;
  std::vector<checkpoint::Allocation> allocations;
  bool skip_shared = false;
};

struct Seen {
  std::vector<std::string> left_behind;
  mutator::Findings findings;
  Invariants::Seen invariants;
};

// Registers are read here, since ptrace is bound to this thread.
Result<Job> JobFor(tracer::TaskGroup& tasks, const checkpoint::ProcessGraft& graft) {
  const tracer::TracedProcess* process = tasks.Find(graft.pid);
  if (process == nullptr) {
    return Fail("it has ended meanwhile", "PID " + std::to_string(graft.pid));
  }
  Job job;
  job.pid = graft.pid;
  MCR_ASSIGN(job.threads, checkpoint::ReadThreads(*process));
  job.old = graft.unmap;
  std::ranges::sort(job.old);
  job.allocations = graft.allocations;
  return job;
}

Status LookForOldPointers(const ValidationContext& context, const Job& job,
                          const checkpoint::ProcessImage& image, Seen& seen) {
  MCR_ASSIGN(seen.left_behind, mutator::FindLeftBehind(image, job.old, job.skip_shared,
                                                       context.watch.MemoFor(job.pid)));
  return {};
}

Status LookAtState(const ValidationContext& context, const OldState::Process& before,
                   const Job& job, const checkpoint::ProcessImage& image, Seen& seen) {
  MCR_ASSIGN(seen.findings,
             mutator::CheckState(
                 {before.live, image, before.overwritten, before.start.get(), before.account,
                  job.allocations, before.graft.signal_handlers, job.skip_shared},
                 context.versions));
  seen.invariants = context.invariants.Check(image);
  return {};
}

// In two pieces each, one after the other since an image is for one thread: a tree has few
// processes, and no processor should wait for the last of them.
Status Look(const ValidationContext& context, const std::vector<Job>& jobs,
            std::vector<Seen>& seen) {
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images(jobs.size());
  tracer::SideWork work(context.helpers);
  for (size_t i = 0; i < jobs.size(); ++i) {
    work.Add([&, i]() -> Status {
      const Job& job = jobs[i];
      const OldState::Process* before = context.before.Find(job.pid);
      if (before == nullptr) {
        return Fail("nothing is known of how it was before", "PID " + std::to_string(job.pid));
      }
      MCR_ASSIGN(images[i], checkpoint::LiveImage::CreateStopped(job.pid, job.threads,
                                                                 before->live.epoll_sets()));
      MCR_TRY(LookForOldPointers(context, job, *images[i], seen[i]));
      work.Add(
          [&, before, i] { return LookAtState(context, *before, jobs[i], *images[i], seen[i]); });
      return {};
    });
  }
  return work.Finish();
}

// A new version may mean it.
void WarnOf(const Finding& invariants, Validation& validation) {
  if (invariants.checked == 0) return;
  validation.checks.push_back(ToCheck("learned invariants", "that held in every run", invariants));
  for (const std::string& ended : invariants.wrong) validation.warnings.push_back(ended);
}

Status Judge(const std::vector<Seen>& seen, Validation& validation) {
  Finding old_pointers, invariants;
  mutator::Findings findings;
  for (const Seen& process : seen) {
    ++old_pointers.checked;
    for (const std::string& what : process.left_behind) old_pointers.Wrong(what);
    findings.Add(process.findings);
    invariants.checked += process.invariants.checked;
    for (const std::string& what : process.invariants.ended) invariants.Wrong(what);
  }
  const std::vector<std::pair<Check, const Finding&>> all = {
      {ToCheck("old pointers", "processes that hold none", old_pointers), old_pointers},
      {ToCheck("code pointers", "that land at the same function", findings.code_pointers),
       findings.code_pointers},
      // The others go by what malloc's blocks are.
      {ToCheck("heap", "objects in places of their own", findings.heap), findings.heap},
      {ToCheck("data pointers", "that land at the same object", findings.data_pointers),
       findings.data_pointers},
      {ToCheck("backward transfer", "values that the old state can be read off", findings.values),
       findings.values}};
  WarnOf(invariants, validation);
  Status wrong;
  for (const auto& [check, finding] : all) {
    validation.checks.push_back(check);
    if (check.ok || !wrong) continue;
    wrong = Fail("check `" + check.name + "`: " + check.detail,
                 fmt::format("{} in all", finding.wrong.size()),
                 "please report this: the merge should have found it");
  }
  return wrong;
}

}  // namespace

VersionPairs PairVersions(const std::vector<mutator::ModuleVersions>& modules) {
  VersionPairs pairs;
  for (const mutator::ModuleVersions& module : modules) {
    pairs.push_back(std::make_unique<mutator::VersionPair>(module.before, module.after,
                                                           module.map->recipes().annotations()));
  }
  return pairs;
}

Status Validate(tracer::TaskGroup& tasks, const checkpoint::GraftPlan& applied,
                const ValidationContext& context, Validation validation) {
  std::vector<Job> jobs;
  for (const checkpoint::ProcessGraft& graft : applied.processes) {
    MCR_ASSIGN(jobs.emplace_back(), JobFor(tasks, graft));
    jobs.back().skip_shared = jobs.size() > 1;
  }
  std::vector<Seen> seen(jobs.size());
  MCR_TRY(Look(context, jobs, seen));
  return Judge(seen, validation);
}

}  // namespace mcr::update
