#include "checkpoint/graft/executor.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/allocations.h"
#include "checkpoint/graft/kernel_calls.h"
#include "checkpoint/graft/memory_patch.h"
#include "checkpoint/graft/timer_exchange.h"
#include "checkpoint/graft/undo.h"
#include "checkpoint/graft/x87_address.h"
#include "mcr/base/fault.h"
#include "mcr/base/mapping.h"
#include "tracer/remote_call.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/side_work.h"

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

bool NeedsFile(const ProcessGraft& graft, size_t file) {
  return std::ranges::any_of(graft.mappings, [&](const NewMapping& mapping) {
    return !mapping.anonymous && mapping.file == file;
  });
}

// One fault in the middle of a patch, whatever its size.
Fault PlaceOf(size_t index, size_t count) {
  if (index + 1 == count) return Fault::kLastWrite;
  return index == 0 ? Fault::kFirstWrite : Fault::kMiddleWrite;
}

Status WriteAll(pid_t pid, const MemoryPatch& patch) {
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(pid));
  for (size_t i = 0; i < patch.spans().size(); ++i) {
    MCR_TRY(memory.Write(patch.spans()[i].at, patch.spans()[i].after));
    MCR_TRY(FaultPoint(PlaceOf(i, patch.spans().size())));
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

Result<MemoryPatch> PreparePatch(const ProcessGraft& graft) {
  MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(graft.pid));
  return MemoryPatch::Prepare(graft.writes, memory, FreshRanges(graft.mappings));
}

// What the calls of MakeCalls take away.
Status RecordCalls(UndoLog& log, const ProcessGraft& graft) {
  std::vector<Range<Addr>> ranges;
  for (const NewMapping& mapping : graft.mappings) ranges.push_back(mapping.range);
  std::vector<SignalHandler> handlers;
  for (const SignalHandlerChange& change : graft.signal_handlers) handlers.push_back(change.before);
  std::vector<EpollEntry> epoll;
  for (const EpollChange& change : graft.epoll) epoll.push_back(change.before);
  MCR_TRY(log.AppendValues<Range<Addr>>(UndoKind::kNewMappings, graft.pid, ranges));
  MCR_TRY(log.AppendValues<SignalHandler>(UndoKind::kSignalHandlers, graft.pid, handlers));
  return log.AppendValues<EpollEntry>(UndoKind::kEpoll, graft.pid, epoll);
}

Status RecordMemory(UndoLog& log, pid_t pid, const MemoryPatch& patch) {
  std::vector<std::array<uint64_t, 2>> heads;
  heads.reserve(patch.spans().size());  // the parts point into it
  std::vector<std::span<const std::byte>> parts;
  for (const MemoryPatch::Span& span : patch.spans()) {
    if (span.before.empty()) continue;
    heads.push_back({span.at.value(), span.before.size()});
    parts.push_back(std::as_bytes(std::span(heads.back())));
    parts.push_back(span.before);
  }
  return log.Append(UndoKind::kMemory, pid, parts);
}

}  // namespace

size_t Graft::UndoSize(const GraftPlan& plan) {
  constexpr size_t kBesideMemory = 64 << 10;  // of a process: its mappings, registers, handlers …
  size_t size = 0;
  for (const ProcessGraft& graft : plan.processes) {
    size += kBesideMemory;
    size += MemoryPatch::CountOverwritten(graft.writes, FreshRanges(graft.mappings));
  }
  return size;
}

Status GraftPreparation::OpenFiles(const GraftPlan& plan) {
  for (const std::string& path : plan.new_files) {
    OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return FailErrno("cannot open the new version", path);
    new_files.push_back(std::move(file));
  }
  return {};
}

Status GraftPreparation::AddPatch(const ProcessGraft& graft) {
  MCR_ASSIGN(MemoryPatch patch, PreparePatch(graft));
  patches.push_back(std::move(patch));
  return {};
}

Result<std::unique_ptr<Graft>> Graft::Apply(TaskGroup& group, const GraftPlan& plan,
                                            GraftPreparation preparation, UndoLog& log,
                                            const cpu_set_t& helpers) {
  std::unique_ptr<Graft> graft(new Graft(group, plan, std::move(preparation.new_files), log));
  const Status status = graft->ApplyAll(preparation.patches, helpers);
  if (status.has_value()) return graft;
  Error error = status.error();
  const Status undone = graft->Undo();
  if (!undone.has_value()) error.what += " (and undoing it: " + undone.error().Line() + ")";
  return tl::make_unexpected(std::move(error));
}

Graft::~Graft() { (void)Undo(); }

Status Graft::Undo() {
  if (std::exchange(done_, true)) return {};
  final_steps_.clear();
  return UndoGraft(group_, log_);
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
  MCR_TRY(log_.Append(UndoKind::kAllocating, graft.pid));
  MCR_ASSIGN(const Allocations allocations, Allocations::Make(*process, graft));
  const std::vector<uint64_t> made = allocations.Made();
  MCR_TRY(log_.AppendValues<uint64_t>(UndoKind::kAllocated, graft.pid, made));
  MCR_ASSIGN(const Mappings mappings, tracer::ProcFs().ReadMappings(graft.pid));
  MCR_TRY(RecordMappings(log_, graft.pid, mappings));
  MCR_TRY(FaultPoint(Fault::kAllocation));
  // The allocator has changed memory since the patch was prepared: in what was free, old pointers
  // may have been where it has its own records now.
  MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(graft.pid));
  MCR_ASSIGN(WriteList writes, patch.StillRight(graft.writes, memory));
  const size_t planned = graft.writes.entries().size();
  graft = allocations.Resolve();
  for (const WriteList::Entry& entry : std::span(graft.writes.entries()).subspan(planned)) {
    writes.Add(entry.at, graft.writes.bytes(entry));
  }
  graft.writes = std::move(writes);
  MCR_ASSIGN(patch, PreparePatch(graft));
  return {};
}

Status Graft::ApplyAll(std::vector<MemoryPatch>& patches, const cpu_set_t& helpers) {
  MCR_TRY(Allocate(patches));
  // Of a process for which there is nothing else left to do.
  tracer::SideWork writing(helpers);
  for (size_t i = 0; i < plan_->processes.size(); ++i) {
    const ProcessGraft& graft = plan_->processes[i];
    const MemoryPatch& patch = patches[i];
    MCR_ASSIGN(TracedProcess * process, FindProcess(group_, graft.pid));
    MCR_TRY(MakeCalls(*process, graft));
    MCR_TRY(SetSignalStacks(*process, graft));
    MCR_TRY(SetTimers(*process, graft));
    MCR_TRY(SetRegisters(*process, graft));
    if (patch.spans().empty()) continue;
    MCR_TRY(RecordMemory(log_, graft.pid, patch));
    writing.Add([pid = graft.pid, &patch] { return WriteAll(pid, patch); });
  }
  return writing.Finish();
}

Status Graft::MakeCalls(TracedProcess& process, const ProcessGraft& graft) {
  if (graft.mappings.empty() && graft.signal_handlers.empty() && graft.epoll.empty()) return {};
  MCR_TRY(RecordCalls(log_, graft));
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  std::vector<int>& placed = placed_[graft.pid];
  placed.resize(new_files_.size(), -1);
  for (size_t file = 0; file < new_files_.size(); ++file) {
    if (!NeedsFile(graft, file)) continue;
    MCR_ASSIGN(placed[file], injection->SendFd(new_files_[file].get()));
    MCR_TRY(FaultPoint(Fault::kDescriptor));
  }
  std::vector<BatchedCall> calls = CallsFor(graft, placed);
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, Where(graft.pid)));
  MCR_TRY(FaultPoint(Fault::kKernelCalls));
  return injection->Close();
}

Status Graft::SetSignalStacks(TracedProcess& process, const ProcessGraft& graft) {
  if (graft.signal_stacks.empty()) return {};
  std::vector<SignalStack> before;
  for (const SignalStackChange& change : graft.signal_stacks) before.push_back(change.before);
  MCR_TRY(log_.AppendValues<SignalStack>(UndoKind::kSignalStacks, graft.pid, before));
  for (const SignalStackChange& change : graft.signal_stacks) {
    MCR_ASSIGN(tracer::Task * task, FindTask(process, change.after.tid));
    MCR_TRY(SetSignalStack(process, *task, change.after));
    MCR_TRY(FaultPoint(Fault::kSignalStack));
  }
  return {};
}

Status Graft::SetTimers(TracedProcess& process, const ProcessGraft& graft) {
  if (graft.timers.empty()) return {};
  MCR_ASSIGN(const std::vector<TimerState> timers, ReadTimers(process, graft.timers));
  MCR_TRY(log_.AppendValues<TimerState>(UndoKind::kTimers, graft.pid, timers));
  MCR_TRY(ExchangeTimers(process, timers));
  return FaultPoint(Fault::kTimers);
}

Status Graft::SetRegisters(TracedProcess& process, const ProcessGraft& graft) {
  for (const RegisterChange& change : graft.registers) {
    MCR_ASSIGN(tracer::Task * task, FindTask(process, change.tid));
    MCR_TRY(task->SetRegisters(change.registers));
    MCR_TRY(FaultPoint(Fault::kRegisters));
  }
  return {};
}

// What objects that moved have left.
void Graft::Release(const ProcessGraft& graft) {
  if (graft.freed.empty()) return;
  std::vector<uint64_t> memory;
  for (const Addr at : graft.freed) memory.push_back(at.value());
  TracedProcess* process = group_.Find(graft.pid);
  const Status released = ReleaseAll(*process, graft.release, memory);
  if (!released) warnings_.push_back(released.error().Line());
}

Status Graft::PrepareCommit() {
  for (const ProcessGraft& graft : plan_->processes) {
    MCR_ASSIGN(TracedProcess * process, FindProcess(group_, graft.pid));
    MCR_TRY(RecordThreads(log_, UndoKind::kGraftedThread, *process));
    const auto placed = placed_.find(graft.pid);
    MCR_ASSIGN(auto step,
               placed != placed_.end()
                   ? FinalStep::Prepare(*process, graft, placed->second)
                   : FinalStep::PrepareAndPlace(*process, graft, new_files_.front().get()));
    final_steps_.push_back(std::move(step));
  }
  return RecordEnds();
}

void Graft::Commit() {
  done_ = true;
  for (const ProcessGraft& graft : plan_->processes) Release(graft);
  for (const auto& step : final_steps_) {
    (void)FaultPoint(Fault::kUnmap);
    step->Run(warnings_);
  }
  final_steps_.clear();  // before the tasks run on
  for (const ProcessGraft& graft : plan_->processes) {
    const TracedProcess* process = group_.Find(graft.pid);
    if (process != nullptr) ForgetX87Addresses(*process, graft.unmap);
  }
}

Status Graft::RecordEnds() {
  for (const ProcessGraft& graft : plan_->processes) {
    MCR_TRY(RecordEnd(log_, graft));
    if (new_files_.empty()) continue;
    // The plan may name the file by a descriptor of ours.
    MCR_ASSIGN(
        const std::string path,
        tracer::ProcFs().ReadLink(getpid(), "fd/" + std::to_string(new_files_.front().get())));
    MCR_TRY(log_.Append(UndoKind::kExecutable, graft.pid, {std::as_bytes(std::span(path))}));
  }
  return {};
}

}  // namespace mcr::checkpoint
