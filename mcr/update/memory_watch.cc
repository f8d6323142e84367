#include "mcr/update/memory_watch.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "checkpoint/graft/plan.h"
#include "checkpoint/live_image.h"
#include "checkpoint/twin.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/update/hold.h"
#include "mcr/update/options.h"
#include "mutator/graph/memory_scan.h"
#include "tracer/quiesce/restart.h"
#include "tracer/task_group.h"

namespace mcr::update {
namespace {

// To watch a mapping takes a call before the pause and one in it.
constexpr uint64_t kSmall = 64 << 10;         // bytes of a mapping that exist
constexpr uint64_t kWorthAWatch = 256 << 10;  // of a process
constexpr std::chrono::milliseconds kInterruptTimeout{500};

std::vector<Range<Addr>> OldRanges(const mutator::MergePlan& expected, pid_t pid) {
  const auto graft =
      std::ranges::find(expected.graft.processes, pid, &checkpoint::ProcessGraft::pid);
  if (graft == expected.graft.processes.end()) return {};
  std::vector<Range<Addr>> old = graft->unmap;
  std::ranges::sort(old);
  return old;
}

// The process's own large memory: of heaps and pools, and what libraries relocate. The searches
// leave out `old`.
Result<std::vector<Range<Addr>>> LargeMemory(const checkpoint::ProcessImage& image,
                                             std::span<const Range<Addr>> old) {
  std::vector<Range<Addr>> memory;
  uint64_t all = 0;
  for (const Mapping& mapping : mutator::ScannedOutside(image, old)) {
    if (mapping.shared) continue;
    MCR_ASSIGN(const auto populated, image.PopulatedRanges(mapping.range));
    uint64_t bytes = 0;
    for (const Range<Addr>& range : populated) bytes += range.size();
    if (bytes < kSmall) continue;
    all += bytes;
    memory.push_back(mapping.range);
  }
  if (all < kWorthAWatch) memory.clear();
  return memory;
}

struct Watched {
  std::unique_ptr<tracer::WriteWatch> watch;
  std::vector<checkpoint::ThreadImage> threads;  // as they were when it was opened
};

Result<std::map<pid_t, Watched>> OpenIn(tracer::TaskGroup& group, const std::vector<pid_t>& pids) {
  std::map<pid_t, Watched> watched;
  for (tracer::TracedProcess& process : group.processes()) {
    if (std::ranges::find(pids, process.pid) == pids.end()) continue;
    MCR_ASSIGN(auto threads, checkpoint::ReadThreads(process));
    MCR_ASSIGN(auto watch, tracer::WriteWatch::Open(process));
    watched.emplace(process.pid, Watched{std::make_unique<tracer::WriteWatch>(std::move(watch)),
                                         std::move(threads)});
  }
  return watched;
}

// The tasks run on, and the calls in which they wait, too, before this returns.
Result<std::map<pid_t, Watched>> OpenWatches(const Inspection& server,
                                             const std::vector<pid_t>& pids,
                                             checkpoint::UndoLog& log) {
  MCR_ASSIGN(tracer::TaskGroup group,
             tracer::TaskGroup::Attach(server.pids.front(), {.root_only = server.main_only}));
  MCR_TRY(group.InterruptAll(kInterruptTimeout));
  const auto held = RecordAndHold(group, log, {});
  auto watched = held ? OpenIn(group, pids) : tl::make_unexpected(held.error());
  MCR_TRY(LetGo(group, log));
  for (tracer::TracedProcess& process : group.processes()) {
    for (const auto& task : process.tasks) {
      if (task->state() == tracer::RunState::kStopped) MCR_TRY(tracer::HideStop(*task));
    }
  }
  MCR_TRY(group.DetachAll());
  return watched;
}

}  // namespace

Result<MemoryWatch> MemoryWatch::Begin(const Inspection& server, const mutator::MergePlan& expected,
                                       checkpoint::UndoLog& log) {
  MemoryWatch result;
  if (UsesCriu(server.checkpoint)) return result;
  std::map<pid_t, std::vector<Range<Addr>>> memory;
  std::vector<pid_t> pids;
  for (const pid_t pid : server.pids) {
    const auto image = checkpoint::LiveImage::CreateRunning(pid);
    if (!image || !checkpoint::Twin::Check(pid)) continue;
    MCR_ASSIGN(auto large, LargeMemory(**image, OldRanges(expected, pid)));
    if (large.empty()) continue;
    memory.emplace(pid, std::move(large));
    pids.push_back(pid);
  }
  if (pids.empty()) return result;
  MCR_ASSIGN(auto watched, OpenWatches(server, pids, log));
  for (auto& [pid, one] : watched) {
    std::vector<Range<Addr>> added;
    for (const Range<Addr>& range : memory[pid]) {
      if (one.watch->Add(range)) added.push_back(range);  // else it was given back meanwhile
    }
    MCR_ASSIGN(const auto image, checkpoint::LiveImage::CreateStopped(pid, std::move(one.threads)));
    const tracer::WriteWatch* watch = one.watch.get();
    auto memo = std::make_unique<mutator::ScanMemo>(mutator::ScanMemo::Create(
        *image, std::move(added), OldRanges(expected, pid), mutator::ReadPointerGuard(*image),
        [watch](Range<Addr> range) { return watch->Written(range); }));
    result.processes_.push_back({pid, std::move(one.watch), std::move(memo)});
  }
  return result;
}

const mutator::ScanMemo* MemoryWatch::MemoFor(pid_t pid) const {
  const auto found = std::ranges::find(processes_, pid, &Process::pid);
  return found == processes_.end() ? nullptr : found->memo.get();
}

}  // namespace mcr::update
