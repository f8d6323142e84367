#include "checkpoint/graft/undo.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <ranges>
#include <span>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/allocations.h"
#include "checkpoint/graft/final_step.h"
#include "checkpoint/graft/kernel_calls.h"
#include "checkpoint/graft/timer_exchange.h"
#include "mcr/base/owned_fd.h"
#include "tracer/remote_call.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"
#include "tracer/workspace.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;
using tracer::LiveMemory;
using tracer::ProcFs;
using tracer::TaskGroup;
using tracer::TracedProcess;
using Ranges = std::vector<Range<Addr>>;

constexpr std::chrono::milliseconds kAllocatorTimeout{5000};

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

// What the log says of one process.
struct Known {
  Ranges mappings;
  bool mappings_are_complete = true;  // not while the allocator may be making some
  Ranges new_mappings;
  std::vector<int> descriptors;
  std::vector<SignalHandler> handlers;
  std::vector<EpollEntry> epoll;
  std::vector<SignalStack> signal_stacks;
  std::vector<TimerState> timers;
  std::vector<uint64_t> allocated;
  ProcessGraft end;        // what finishing is to do
  std::string executable;  // the new one's path
};

MemoryLayout ReadLayout(const UndoLog::Record& record) {
  constexpr size_t kAddresses = 11;
  MemoryLayout layout;
  std::array<Addr, kAddresses> values;
  if (record.data.size() < sizeof(values)) return layout;
  std::memcpy(static_cast<void*>(values.data()), record.data.data(), sizeof(values));
  size_t at = 0;
  for (Addr* field : {&layout.start_code, &layout.end_code, &layout.start_data, &layout.end_data,
                      &layout.start_brk, &layout.brk, &layout.start_stack, &layout.arg_start,
                      &layout.arg_end, &layout.env_start, &layout.env_end}) {
    *field = values[at++];
  }
  const auto auxv = record.data.subspan(sizeof(values));
  layout.auxv.assign(auxv.begin(), auxv.end());
  return layout;
}

std::map<pid_t, Known> ReadLog(const UndoLog& log) {
  std::map<pid_t, Known> all;
  for (const UndoLog::Record& record : log.Records()) {
    const pid_t id = record.id;
    switch (record.kind) {
      case UndoKind::kProcess:
        all[id].end.pid = id;
        break;
      case UndoKind::kMappings:
        all[id].mappings = record.As<Range<Addr>>();
        all[id].mappings_are_complete = true;
        break;
      case UndoKind::kAllocating:
        all[id].mappings_are_complete = false;
        break;
      case UndoKind::kAllocated:
        all[id].allocated = record.As<uint64_t>();
        break;
      case UndoKind::kDescriptors:
        all[id].descriptors = record.As<int>();
        break;
      case UndoKind::kNewMappings:
        all[id].new_mappings = record.As<Range<Addr>>();
        break;
      case UndoKind::kSignalHandlers:
        all[id].handlers = record.As<SignalHandler>();
        break;
      case UndoKind::kEpoll:
        all[id].epoll = record.As<EpollEntry>();
        break;
      case UndoKind::kSignalStacks:
        all[id].signal_stacks = record.As<SignalStack>();
        break;
      case UndoKind::kTimers:
        all[id].timers = record.As<TimerState>();
        break;
      case UndoKind::kUnmap:
        all[id].end.unmap = record.As<Range<Addr>>();
        break;
      case UndoKind::kLayout:
        all[id].end.layout = ReadLayout(record);
        break;
      case UndoKind::kExecutable:
        all[id].executable.assign(reinterpret_cast<const char*>(record.data.data()),
                                  record.data.size());
        break;
      default:
        break;
    }
  }
  return all;
}

// What of `range` is in none of `others`.
Ranges Without(Range<Addr> range, Ranges others) {
  std::ranges::sort(others);
  Ranges rest;
  Addr at = range.begin();
  for (const Range<Addr>& other : others) {
    if (!other.Overlaps(range)) continue;
    if (at < other.begin()) rest.push_back(*Range<Addr>::FromTo(at, other.begin()));
    at = std::max(at, other.end());
  }
  if (at < range.end()) rest.push_back(*Range<Addr>::FromTo(at, range.end()));
  return rest;
}

// The kernel's own ([stack], [heap]) grow by themselves.
Ranges Strays(const Mappings& mappings, const Ranges& known) {
  Ranges strays;
  for (const Mapping& mapping : mappings) {
    if (mapping.path.starts_with("[")) continue;
    const Ranges more = Without(mapping.range, known);
    strays.insert(strays.end(), more.begin(), more.end());
  }
  return strays;
}

BatchedCall UnmapCall(const Range<Addr>& range) {
  return {.what = "unmap " + Hex(range.begin()),
          .number = SYS_munmap,
          .arguments = {range.begin().value(), range.size()}};
}

// What is not the process's own.
Result<std::vector<BatchedCall>> StrayCalls(const TracedProcess& process, const Known& known,
                                            Ranges mappings) {
  std::vector<BatchedCall> calls;
  const pid_t pid = process.pid;
  // In which the calls are made, and which its owner removes.
  if (process.workspace != nullptr) mappings.push_back(process.workspace->range());
  MCR_ASSIGN(const std::vector<int> descriptors, ProcFs().Descriptors(pid));
  for (const int fd : descriptors) {
    if (std::ranges::find(known.descriptors, fd) != known.descriptors.end()) continue;
    calls.push_back({.what = "close descriptor " + std::to_string(fd),
                     .number = SYS_close,
                     .arguments = {static_cast<uint64_t>(fd)}});
  }
  if (!known.mappings_are_complete) return calls;
  MCR_ASSIGN(const Mappings now, ProcFs().ReadMappings(pid));
  for (const Range<Addr>& stray : Strays(now, mappings)) calls.push_back(UnmapCall(stray));
  return calls;
}

Status RunAll(TracedProcess& process, std::vector<BatchedCall> calls) {
  if (calls.empty()) return {};
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, Where(process.pid)));
  return injection->Close();
}

tracer::Task* FindTask(TracedProcess& process, pid_t tid) {
  for (const auto& task : process.tasks) {
    if (task->tid() == tid && task->state() == tracer::RunState::kStopped) return task.get();
  }
  return nullptr;  // it has been killed
}

tracer::Task* FindTask(TaskGroup& group, pid_t tid) {
  for (TracedProcess& process : group.processes()) {
    if (tracer::Task* task = FindTask(process, tid)) return task;
  }
  return nullptr;
}

Status UndoCalls(TracedProcess& process, const Known& known) {
  MCR_ASSIGN(std::vector<BatchedCall> calls, StrayCalls(process, known, known.mappings));
  for (const SignalHandler& handler : known.handlers) calls.push_back(SigactionCall(handler));
  for (const EpollEntry& entry : known.epoll) AddEpollCalls(entry, calls);
  MCR_TRY(RunAll(process, std::move(calls)));
  for (const SignalStack& stack : known.signal_stacks) {
    tracer::Task* task = FindTask(process, stack.tid);
    if (task != nullptr) MCR_TRY(SetSignalStack(process, *task, stack));
  }
  MCR_TRY(UndoTimers(process, known.timers));
  if (known.allocated.empty()) return {};
  return ReleaseAll(process, Addr(known.allocated[0]), std::span(known.allocated).subspan(1));
}

Status PutThreadBack(TaskGroup& group, const UndoLog::Record& record) {
  tracer::Task* task = FindTask(group, record.id);
  const auto marks = record.As<ThreadMark>();
  if (task == nullptr || marks.empty()) return {};
  MCR_TRY(task->SetRegisters(marks[0].registers));
  return tracer::PtraceSetSignalMask(record.id, marks[0].mask);
}

Status PutExtendedStateBack(TaskGroup& group, const UndoLog::Record& record) {
  if (FindTask(group, record.id) == nullptr) return {};
  return tracer::PtraceSetExtendedState(record.id, record.As<std::byte>());
}

Status PutMemoryBack(TaskGroup& group, const UndoLog::Record& record) {
  if (group.Find(record.id) == nullptr) return {};
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(record.id));
  for (std::span<const std::byte> rest = record.data; !rest.empty();) {
    std::array<uint64_t, 2> head;  // address and size
    std::memcpy(head.data(), rest.data(), sizeof(head));
    MCR_TRY(memory.Write(Addr(head[0]), rest.subspan(sizeof(head), head[1])));
    rest = rest.subspan(sizeof(head) + head[1]);
  }
  return {};
}

Status PutBack(TaskGroup& group, const UndoLog::Record& record) {
  switch (record.kind) {
    case UndoKind::kThread:
      return PutThreadBack(group, record);
    case UndoKind::kExtendedState:
      return PutExtendedStateBack(group, record);
    case UndoKind::kMemory:
      return PutMemoryBack(group, record);
    default:
      return {};
  }
}

const Mapping* ForeignCode(const Mappings& mappings, const Ranges& known, Addr at) {
  const Mapping* mapping = FindMapping(mappings, at);
  const bool foreign =
      mapping != nullptr && mapping->executable && !Without(mapping->range, known).empty();
  return foreign ? mapping : nullptr;
}

// Whether the main thread is within code of ours, or in a function that this has called: on a stack
// of ours.
Result<bool> IsInOurCode(TracedProcess& process, const Known& known) {
  MCR_ASSIGN(const tracer::Registers now, process.main().GetRegisters());
  MCR_ASSIGN(const Mappings mappings, ProcFs().ReadMappings(process.pid));
  MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(process.pid));
  const Addr end = Addr(now.rip);
  if (ForeignCode(mappings, known.mappings, end) != nullptr) {
    MCR_ASSIGN(const auto word, (memory.ReadValue<std::array<uint8_t, 2>>(end)));
    return word != std::array<uint8_t, 2>{0xeb, 0xfe};  // where it turns around after its end
  }
  return std::ranges::none_of(
      known.mappings, [&](const Range<Addr>& mapping) { return mapping.Contains(Addr(now.rsp)); });
}

Status RunToItsEnd(TracedProcess& process) {
  while (true) {
    MCR_ASSIGN(const tracer::WaitStatus stop,
               process.main().RunToStop(tracer::Resume::kContinue, kAllocatorTimeout));
    if (stop.kind == tracer::WaitStatus::Kind::kSignal && stop.signal == SIGSTOP) return {};
    if (stop.kind == tracer::WaitStatus::Kind::kSignal && stop.signal == SIGSEGV) {
      return Fail("the server's allocator crashes", Where(process.pid));
    }
  }
}

bool IsMapped(const Mappings& mappings, const Range<Addr>& range) {
  return std::ranges::any_of(mappings,
                             [&](const Mapping& mapping) { return mapping.range.Overlaps(range); });
}

Status Finish(TracedProcess& process, const Known& known, std::vector<std::string>& warnings) {
  Ranges own = known.mappings;
  own.insert(own.end(), known.new_mappings.begin(), known.new_mappings.end());
  MCR_ASSIGN(std::vector<BatchedCall> strays, StrayCalls(process, known, own));
  MCR_TRY(RunAll(process, std::move(strays)));
  ProcessGraft end = known.end;
  // What is unmapped already may have been given to somebody else: to code of ours, in a moment.
  MCR_ASSIGN(const Mappings now, ProcFs().ReadMappings(process.pid));
  std::erase_if(end.unmap, [&](const Range<Addr>& range) { return !IsMapped(now, range); });
  const OwnedFd executable(open(known.executable.c_str(), O_RDONLY | O_CLOEXEC));
  MCR_ASSIGN(const auto step, FinalStep::PrepareAndPlace(process, end, executable.get()));
  step->Run(warnings);
  return {};
}

}  // namespace

Status RecordThreads(UndoLog& log, UndoKind kind, const TracedProcess& process) {
  for (const auto& task : process.tasks) {
    ThreadMark mark{.registers = {}, .mask = 0};
    MCR_ASSIGN(mark.registers, task->GetRegisters());
    MCR_ASSIGN(mark.mask, tracer::PtraceGetSignalMask(task->tid()));
    MCR_TRY(log.AppendValues<ThreadMark>(kind, task->tid(), std::span(&mark, 1)));
  }
  return {};
}

Status RecordMappings(UndoLog& log, pid_t pid, const Mappings& mappings) {
  Ranges ranges;
  for (const Mapping& mapping : mappings) ranges.push_back(mapping.range);
  return log.AppendValues<Range<Addr>>(UndoKind::kMappings, pid, ranges);
}

Status RecordProcess(UndoLog& log, const TracedProcess& process, const Mappings& mappings,
                     std::span<const int> descriptors) {
  MCR_ASSIGN(const std::vector<std::byte> extended,
             tracer::PtraceGetExtendedState(process.main().tid()));
  MCR_TRY(RecordMappings(log, process.pid, mappings));
  MCR_TRY(log.AppendValues<int>(UndoKind::kDescriptors, process.pid, descriptors));
  MCR_TRY(log.Append(UndoKind::kExtendedState, process.main().tid(), {std::span(extended)}));
  MCR_TRY(RecordThreads(log, UndoKind::kThread, process));
  const ProcessMark mark{.start_time = process.main().start_time()};
  return log.AppendValues<ProcessMark>(UndoKind::kProcess, process.pid, std::span(&mark, 1));
}

Status RecordEnd(UndoLog& log, const ProcessGraft& graft) {
  MCR_TRY(log.AppendValues<Range<Addr>>(UndoKind::kUnmap, graft.pid, graft.unmap));
  const MemoryLayout& layout = graft.layout;
  const std::array addresses = {layout.start_code,  layout.end_code,  layout.start_data,
                                layout.end_data,    layout.start_brk, layout.brk,
                                layout.start_stack, layout.arg_start, layout.arg_end,
                                layout.env_start,   layout.env_end};
  return log.Append(UndoKind::kLayout, graft.pid,
                    {std::as_bytes(std::span(addresses)), std::span(layout.auxv)});
}

Status UndoGraft(TaskGroup& group, const UndoLog& log) {
  Status first;
  const auto note = [&](Status status) {
    if (first && !status) first = std::move(status);
  };
  // Backwards: memory that several processes share is in the log of each.
  const std::vector<UndoLog::Record> records = log.Records();
  for (const UndoLog::Record& record : std::views::reverse(records)) note(PutBack(group, record));
  for (const auto& [pid, known] : ReadLog(log)) {
    if (TracedProcess* process = group.Find(pid)) note(UndoCalls(*process, known));
  }
  return first;
}

Status EndAllocations(TaskGroup& group, const UndoLog& log) {
  for (const auto& [pid, known] : ReadLog(log)) {
    TracedProcess* process = group.Find(pid);
    if (process == nullptr || known.mappings_are_complete) continue;
    MCR_ASSIGN(const bool running, IsInOurCode(*process, known));
    if (running) MCR_TRY(RunToItsEnd(*process));
  }
  return {};
}

Status PutMasksBack(TaskGroup& group, const UndoLog& log) {
  for (const UndoLog::Record& record : log.Records()) {
    const auto marks = record.As<ThreadMark>();
    if (record.kind != UndoKind::kThread || marks.empty()) continue;
    if (FindTask(group, record.id) == nullptr) continue;
    MCR_ASSIGN(const uint64_t mask, tracer::PtraceGetSignalMask(record.id));
    if (mask == tracer::kOurSignalMask) {
      MCR_TRY(tracer::PtraceSetSignalMask(record.id, marks[0].mask));
    }
  }
  return {};
}

void FinishGraft(TaskGroup& group, const UndoLog& log, std::vector<std::string>& warnings) {
  const auto note = [&](const Status& status) {
    if (!status) warnings.push_back(status.error().Line());
  };
  for (const UndoLog::Record& record : log.Records()) {
    if (record.kind == UndoKind::kGraftedThread) note(PutThreadBack(group, record));
    if (record.kind == UndoKind::kExtendedState) note(PutExtendedStateBack(group, record));
  }
  for (const auto& [pid, known] : ReadLog(log)) {
    if (TracedProcess* process = group.Find(pid)) {
      note(Finish(*process, known, warnings));
    }
  }
}

}  // namespace mcr::checkpoint
