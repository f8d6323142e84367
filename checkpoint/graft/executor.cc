#include "checkpoint/graft/executor.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/allocations.h"
#include "checkpoint/graft/final_step.h"
#include "checkpoint/graft/kernel_calls.h"
#include "checkpoint/graft/memory_patch.h"
#include "tracer/remote_call.h"
#include "tracer/sys/memory.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;
using tracer::LiveMemory;
using tracer::TaskGroup;
using tracer::TracedProcess;

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

Result<TracedProcess*> FindProcess(TaskGroup& group, pid_t pid) {
  TracedProcess* process = group.Find(pid);
  if (process == nullptr) return Fail("the plan names a process that is not attached", Where(pid));
  return process;
}

Result<tracer::Task*> FindTask(TracedProcess& process, pid_t tid) {
  for (const auto& task : process.tasks) {
    if (task->tid() == tid) return task.get();
  }
  return Fail("the plan names a thread that is not attached", "TID " + std::to_string(tid));
}

// What MakeCalls has done so far, shared with its inverse.
struct Progress {
  ReversibleCalls calls;
  std::vector<int> new_files;  // in the process; -1: not there
};

Status RevertCalls(TaskGroup& group, pid_t pid, const Progress& progress) {
  std::vector<BatchedCall> calls = progress.calls.Undone();
  for (const int fd : progress.new_files) {
    if (fd < 0) continue;
    calls.push_back({.what = "close the new file",
                     .number = SYS_close,
                     .arguments = {static_cast<uint64_t>(fd)}});
  }
  if (calls.empty()) return {};
  MCR_ASSIGN(TracedProcess * process, FindProcess(group, pid));
  MCR_ASSIGN(const auto injection, Injection::Open(*process));
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, Where(pid)));
  return injection->Close();
}

bool NeedsFile(const ProcessGraft& graft, size_t file) {
  return std::ranges::any_of(graft.mappings, [&](const NewMapping& mapping) {
    return !mapping.anonymous && mapping.file == file;
  });
}

Status RunForward(Injection& injection, Progress& progress, pid_t pid) {
  MCR_TRY(RunBatch(injection, progress.calls.forward));
  return CheckResults(progress.calls.forward, Where(pid));
}

Status WriteAll(pid_t pid, const MemoryPatch& patch) {
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(pid));
  for (const MemoryPatch::Span& span : patch.spans()) MCR_TRY(memory.Write(span.at, span.after));
  return {};
}

Status RevertAll(pid_t pid, const MemoryPatch& patch) {
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(pid));
  for (auto span = patch.spans().rbegin(); span != patch.spans().rend(); ++span) {
    if (!span->before.empty()) MCR_TRY(memory.Write(span->at, span->before));
  }
  return {};
}

// What the mappings cover, neighbours joined: a write may run from one into the next.
std::vector<Range<Addr>> FreshRanges(const std::vector<NewMapping>& mappings) {
  std::vector<Range<Addr>> ranges;
  for (const NewMapping& mapping : mappings) ranges.push_back(mapping.range);
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range<Addr>> joined;
  for (const Range<Addr>& range : ranges) {
    if (!joined.empty() && joined.back().end() == range.begin()) {
      joined.back() = *Range<Addr>::FromTo(joined.back().begin(), range.end());
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace

Result<GraftPreparation> Graft::Prepare(const GraftPlan& plan) {
  GraftPreparation preparation;
  for (const std::string& path : plan.new_files) {
    OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return FailErrno("cannot open the new version", path);
    preparation.new_files.push_back(std::move(file));
  }
  for (const ProcessGraft& graft : plan.processes) {
    MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(graft.pid));
    MCR_ASSIGN(MemoryPatch patch,
               MemoryPatch::Prepare(graft.writes, memory, FreshRanges(graft.mappings)));
    preparation.patches.push_back(std::move(patch));
  }
  return preparation;
}

Result<std::unique_ptr<Graft>> Graft::Apply(TaskGroup& group, const GraftPlan& plan,
                                            GraftPreparation preparation, const Applied& applied) {
  std::unique_ptr<Graft> graft(new Graft(group, plan, std::move(preparation.new_files)));
  Status status = graft->Allocate(preparation.patches);
  for (size_t i = 0; status.has_value() && i < plan.processes.size(); ++i) {
    status = graft->ApplyTo(graft->plan_->processes[i], std::move(preparation.patches[i]), applied);
  }
  if (status.has_value()) return graft;
  Error error = status.error();
  const Status undone = graft->Undo();
  if (!undone.has_value()) error.what += " (and undoing it: " + undone.error().Line() + ")";
  return tl::make_unexpected(std::move(error));
}

Status Graft::Allocate(std::vector<MemoryPatch>& patches) {
  const auto asks = [](const ProcessGraft& graft) { return !graft.allocations.empty(); };
  if (std::ranges::none_of(plan_->processes, asks)) return {};
  resolved_ = *plan_;
  plan_ = &resolved_;
  for (size_t i = 0; i < resolved_.processes.size(); ++i) {
    if (!asks(resolved_.processes[i])) continue;
    MCR_TRY(AllocateIn(resolved_.processes[i], patches[i]));
  }
  return {};
}

Status Graft::AllocateIn(ProcessGraft& graft, MemoryPatch& patch) {
  MCR_ASSIGN(TracedProcess * process, FindProcess(group_, graft.pid));
  MCR_ASSIGN(Allocations made, Allocations::Make(*process, graft));
  auto allocations = std::make_shared<const Allocations>(std::move(made));
  undo_.Arm([&group = group_, pid = graft.pid, allocations]() -> Status {
    MCR_ASSIGN(TracedProcess * process, FindProcess(group, pid));
    return allocations->Release(*process);
  });
  graft = allocations->Resolve();
  // The allocator has changed memory since the patch was prepared.
  MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(graft.pid));
  MCR_ASSIGN(patch, MemoryPatch::Prepare(graft.writes, memory, FreshRanges(graft.mappings)));
  return {};
}

Status Graft::ApplyTo(const ProcessGraft& graft, MemoryPatch patch, const Applied& applied) {
  MCR_ASSIGN(TracedProcess * process, FindProcess(group_, graft.pid));
  MCR_TRY(MakeCalls(*process, graft));
  MCR_TRY(WriteMemory(graft.pid, std::move(patch)));
  MCR_TRY(SetRegisters(*process, graft));
  return applied(*process, graft);
}

Status Graft::MakeCalls(TracedProcess& process, const ProcessGraft& graft) {
  if (graft.mappings.empty() && graft.signal_handlers.empty() && graft.epoll.empty()) return {};
  auto progress = std::make_shared<Progress>();
  undo_.Arm(
      [&group = group_, pid = graft.pid, progress] { return RevertCalls(group, pid, *progress); });
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  progress->new_files.resize(new_files_.size(), -1);
  for (size_t file = 0; file < new_files_.size(); ++file) {
    if (!NeedsFile(graft, file)) continue;
    MCR_ASSIGN(progress->new_files[file], injection->SendFd(new_files_[file].get()));
    placed_[graft.pid] = progress->new_files;
  }
  progress->calls = CallsFor(graft, progress->new_files);
  MCR_TRY(RunForward(*injection, *progress, graft.pid));
  return injection->Close();
}

Status Graft::WriteMemory(pid_t pid, MemoryPatch prepared) {
  if (prepared.spans().empty()) return {};
  auto patch = std::make_shared<const MemoryPatch>(std::move(prepared));
  undo_.Arm([pid, patch] { return RevertAll(pid, *patch); });
  return WriteAll(pid, *patch);
}

Status Graft::SetRegisters(TracedProcess& process, const ProcessGraft& graft) {
  for (const RegisterChange& change : graft.registers) {
    MCR_ASSIGN(tracer::Task * task, FindTask(process, change.tid));
    MCR_ASSIGN(const tracer::Registers before, task->GetRegisters());
    undo_.Arm([task, before] { return task->SetRegisters(before); });
    MCR_TRY(task->SetRegisters(change.registers));
  }
  return {};
}

// What objects that moved have left.
void Graft::Release(const ProcessGraft& graft) {
  if (graft.freed.empty()) return;
  std::vector<uint64_t> memory;
  for (const Addr at : graft.freed) memory.push_back(at.value());
  TracedProcess* process = group_.Find(graft.pid);
  const Status released = ReleaseAll(*process, graft.release, std::move(memory));
  if (!released) warnings_.push_back(released.error().Line());
}

Status Graft::Commit() {
  std::vector<std::unique_ptr<FinalStep>> steps;
  for (const ProcessGraft& graft : plan_->processes) {
    MCR_ASSIGN(TracedProcess * process, FindProcess(group_, graft.pid));
    const auto placed = placed_.find(graft.pid);
    MCR_ASSIGN(auto step,
               placed != placed_.end()
                   ? FinalStep::Prepare(*process, graft, placed->second)
                   : FinalStep::PrepareAndPlace(*process, graft, new_files_.front().get()));
    steps.push_back(std::move(step));
  }
  undo_.Disarm();
  for (const ProcessGraft& graft : plan_->processes) Release(graft);
  for (const auto& step : steps) step->Run(warnings_);
  return {};
}

}  // namespace mcr::checkpoint
