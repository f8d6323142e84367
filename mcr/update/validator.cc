#include "mcr/update/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "checkpoint/live_image.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/left_behind.h"
#include "mutator/validate/state_check.h"
#include "tracer/sys/affinity.h"

namespace mcr::update {
namespace {

using mutator::Finding;

Check ToCheck(const std::string& name, const std::string& what, const Finding& finding) {
  Check check{name, finding.wrong.empty(), finding.checked, what};
  if (!check.ok) check.detail = finding.wrong.front();
  return check;
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

Status Validator::Add(const tracer::TracedProcess& process, const checkpoint::ProcessGraft& graft) {
  Job job;
  job.pid = process.pid;
  // Registers are read here, since ptrace is bound to this thread.
  MCR_ASSIGN(job.threads, checkpoint::ReadThreads(process));
  job.old = graft.unmap;
  std::ranges::sort(job.old);
  job.allocations = graft.allocations;
  job.skip_shared = !running_.empty();
  running_.push_back(std::async(std::launch::async, [this, job = std::move(job)]() mutable {
    tracer::MoveTo(context_.processors);
    return Look(std::move(job));
  }));
  return {};
}

Result<Validator::Seen> Validator::Look(Job job) const {
  const OldState::Process* before = context_.before.Find(job.pid);
  if (before == nullptr) {
    return Fail("nothing is known of how it was before", "PID " + std::to_string(job.pid));
  }
  MCR_ASSIGN(const auto image, checkpoint::LiveImage::CreateStopped(job.pid, std::move(job.threads),
                                                                    before->live.epoll_sets()));
  Seen seen;
  MCR_ASSIGN(seen.left_behind, mutator::FindLeftBehind(*image, job.old, job.skip_shared,
                                                       context_.watch.MemoFor(job.pid)));
  MCR_ASSIGN(seen.findings,
             mutator::CheckState(
                 {before->live, *image, before->overwritten, before->base, before->account,
                  std::move(job.allocations), before->graft.signal_handlers, job.skip_shared},
                 context_.versions));
  return seen;
}

Status Validator::Finish(std::vector<Check>& checks) {
  Finding old_pointers;
  mutator::Findings findings;
  Status failed;
  for (auto& process : running_) {
    const Result<Seen> seen = process.get();
    if (!seen) {
      failed = tl::make_unexpected(seen.error());
      continue;
    }
    ++old_pointers.checked;
    for (const std::string& what : seen->left_behind) old_pointers.Wrong(what);
    findings.Add(seen->findings);
  }
  running_.clear();
  MCR_TRY(failed);
  const std::vector<std::pair<Check, const Finding&>> all = {
      {ToCheck("old pointers", "processes that hold none", old_pointers), old_pointers},
      {ToCheck("code pointers", "that land at the same function", findings.code_pointers),
       findings.code_pointers},
      {ToCheck("data pointers", "that land at the same object", findings.data_pointers),
       findings.data_pointers},
      {ToCheck("heap", "objects in blocks of their own", findings.heap), findings.heap},
      {ToCheck("backward transfer", "values that the old state can be read off", findings.values),
       findings.values}};
  Status wrong;
  for (const auto& [check, finding] : all) {
    checks.push_back(check);
    if (check.ok || !wrong) continue;
    wrong = Fail("check `" + check.name + "`: " + check.detail,
                 fmt::format("{} in all", finding.wrong.size()),
                 "please report this: the merge should have found it");
  }
  return wrong;
}

}  // namespace mcr::update
