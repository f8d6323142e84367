#include "mcr/update/paused_merge.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/fault.h"
#include "mcr/base/range.h"
#include "mcr/update/processor_time.h"
#include "tracer/sys/affinity.h"

namespace mcr::update {
namespace {

// What a merge that has lost its mind might answer.
void Garble(checkpoint::GraftPlan& plan) {
  std::mt19937_64 random{std::random_device()()};
  constexpr int kWrites = 1000;
  constexpr uint64_t kUserSpace = uint64_t{1} << 47;
  for (checkpoint::ProcessGraft& graft : plan.processes) {
    graft.writes = {};
    for (int i = 0; i < kWrites; ++i) graft.writes.AddWord(Addr(random() % kUserSpace), random());
    for (auto& change : graft.registers) change.registers.rip = random();
    for (auto& range : graft.unmap)
      range = *Range<Addr>::FromSize(Addr(random() % kUserSpace), 4096);
  }
}

}  // namespace

void PausedMerge::Begin(Preparer preparer, const std::optional<cpu_set_t>& processors) {
  preparer_ = preparer;
  began_ = std::chrono::steady_clock::now();
  merging_ = std::async(std::launch::async, [this, processors] {
    if (processors) tracer::MoveTo(*processors);
    return Run();
  });
}

Status PausedMerge::Run() {
  background_.Enter();
  const Status merged = Merge();
  background_.Leave();
  ended_ = std::chrono::steady_clock::now();
  cpu_ms_ = ProcessorMs(CLOCK_THREAD_CPUTIME_ID);
  const std::lock_guard lock(mutex_);
  over_ = true;
  announced_.notify_all();
  return merged;
}

Status PausedMerge::Merge() {
  const auto announce = [this](const Part& part) { Announce(part); };
  const bool garble = IsFaultDue(Fault::kAnswer);
  MCR_ASSIGN(mutator::MergePlan plan,
             garble ? merger_.Merge(pairs_) : merger_.Merge(pairs_, announce));
  if (garble) Garble(plan.graft);
  plan_ = std::make_unique<const mutator::MergePlan>(std::move(plan));
  if (!garble) return {};
  for (size_t i = 0; i < plan_->accounts.size(); ++i) {
    Announce({plan_->graft.processes[i], plan_->accounts[i]});
  }
  return {};
}

void PausedMerge::Announce(const Part& part) {
  if (preparer_ == Preparer::kMerger) return Prepare(part);
  const std::lock_guard lock(mutex_);
  parts_.push_back(part);
  announced_.notify_all();
}

void PausedMerge::Prepare(const Part& part) {
  if (!prepared_) return;
  prepared_ = [&]() -> Status {
    MCR_TRY(preparation_.AddPatch(part.graft));
    const auto live =
        std::ranges::find(live_, part.graft.pid, [](const auto& each) { return each->pid(); });
    if (live == live_.end()) return {};
    const mutator::ProcessPair& pair = pairs_[static_cast<size_t>(live - live_.begin())];
    return old_state_.Remember(part.graft, part.account, preparation_.patches.back(), **live,
                               pair.base);
  }();
}

std::optional<PausedMerge::Part> PausedMerge::AwaitPart() {
  std::unique_lock lock(mutex_);
  announced_.wait(lock, [this] { return over_ || !parts_.empty(); });
  if (parts_.empty()) return std::nullopt;
  const Part part = parts_.front();
  parts_.pop_front();
  return part;
}

Status PausedMerge::Finish() {
  background_.Leave();
  const double before = ProcessorMs(CLOCK_THREAD_CPUTIME_ID);
  while (const auto part = AwaitPart()) Prepare(*part);
  MCR_TRY(merging_.get());
  MCR_TRY(prepared_);
  MCR_TRY(preparation_.OpenFiles(plan_->graft));
  cpu_ms_ += ProcessorMs(CLOCK_THREAD_CPUTIME_ID) - before;
  return {};
}

void PausedMerge::Wait() {
  background_.Leave();
  if (merging_.valid()) merging_.wait();
}

}  // namespace mcr::update
