#include "checkpoint/live_image.h"

#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "checkpoint/call_batch.h"
#include "checkpoint/epoll_info.h"
#include "checkpoint/image_order.h"
#include "checkpoint/timer_list.h"
#include "checkpoint/unwound.h"
#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"
#include "tracer/sys/pagemap/shared_pages.h"
#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

constexpr size_t kFewBytes = 256;

using tracer::ProcFs;
using tracer::TracedProcess;

// What rt_sigaction(2) of the kernel fills in.
struct KernelSigaction {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};

BatchedCall BrkCall() { return {.what = "ask for brk", .number = SYS_brk}; }

// Of the thread that executes the batch.
BatchedCall SignalStackCall() {
  return {.what = "ask for the stack of signal handlers",
          .number = SYS_sigaltstack,
          .data = std::vector<std::byte>(sizeof(stack_t)),
          .data_argument = 1};
}

BatchedCall SigactionCall(int signal) {
  return {.what = "ask for the handler of signal " + std::to_string(signal),
          .number = SYS_rt_sigaction,
          .arguments = {static_cast<uint64_t>(signal), 0, 0, sizeof(uint64_t)},
          .data = std::vector<std::byte>(sizeof(KernelSigaction)),
          .data_argument = 2};
}

SignalHandler HandlerOf(const BatchedCall& call) {
  KernelSigaction action;
  std::memcpy(&action, call.data.data(), sizeof(action));
  return {.signal = static_cast<int>(call.arguments[0]),
          .handler = Addr(action.handler),
          .flags = action.flags,
          .restorer = Addr(action.restorer),
          .mask = action.mask};
}

// Processes have one or two.
Result<std::vector<int>> AskForEpollSets(tracer::Injection& injection, uint64_t slots) {
  MCR_ASSIGN(const Addr scratch, injection.Scratch());
  std::vector<int> sets(tracer::Injection::kScratchSize / sizeof(int));
  MCR_ASSIGN(const uint64_t result,
             injection.Run(tracer::FindEpollSetsCode(), {slots, scratch.value(), sets.size()}));
  const auto count = static_cast<int64_t>(result);
  if (count < 0) {
    errno = static_cast<int>(-count);
    return FailErrno("the process cannot make a descriptor", "", "raise its limit of open files");
  }
  if (result > sets.size()) return Fail("the process has too many epoll sets");
  sets.resize(result);
  MCR_TRY(injection.memory().Read(scratch, std::as_writable_bytes(std::span(sets))));
  return sets;
}

void AddSignalStack(pid_t tid, const BatchedCall& asked, Answers& answers) {
  stack_t stack;
  std::memcpy(&stack, asked.data.data(), sizeof(stack));
  if ((stack.ss_flags & SS_DISABLE) != 0) return;
  answers.signal_stacks.push_back({.tid = tid,
                                   .begin = Addr(reinterpret_cast<uint64_t>(stack.ss_sp)),
                                   .size = stack.ss_size,
                                   .flags = stack.ss_flags});
}

Status AskThread(TracedProcess& process, tracer::Task& task, Answers& answers) {
  std::vector<BatchedCall> calls = {SignalStackCall()};
  MCR_ASSIGN(const auto injection, tracer::Injection::Open(process, task));
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, "TID " + std::to_string(task.tid())));
  AddSignalStack(task.tid(), calls.front(), answers);
  return injection->Close();
}

}  // namespace

LiveImage::LiveImage(pid_t pid, pid_t parent, tracer::LiveMemory memory, tracer::Pagemap pagemap,
                     std::shared_ptr<tracer::FilePages> file_pages)
    : ImageParts(pid, parent),
      memory_(std::move(memory)),
      pagemap_(std::move(pagemap)),
      file_pages_(std::move(file_pages)),
      cache_(memory_, mappings_, *file_pages_) {}

Result<std::unique_ptr<LiveImage>> LiveImage::Open(pid_t pid, pid_t parent,
                                                   std::optional<std::vector<int>> epoll_sets,
                                                   std::shared_ptr<tracer::FilePages> file_pages) {
  MCR_ASSIGN(tracer::LiveMemory memory, tracer::LiveMemory::Open(pid));
  MCR_ASSIGN(tracer::Pagemap pagemap, tracer::Pagemap::Open(pid));
  std::unique_ptr<LiveImage> image(
      new LiveImage(pid, parent, std::move(memory), std::move(pagemap), std::move(file_pages)));
  MCR_ASSIGN(image->mappings_, ProcFs().ReadMappings(pid));
  if (epoll_sets) {
    image->epoll_sets_ = *std::move(epoll_sets);
  } else {
    MCR_TRY(image->FindEpollSets());
  }
  MCR_TRY(image->ReadEpoll());
  MCR_TRY(image->ReadTimers());
  MCR_TRY(image->ReadLayout());
  return image;
}

Result<std::vector<ThreadImage>> ReadThreads(const TracedProcess& process) {
  std::vector<ThreadImage> threads;
  for (const auto& task : process.tasks) {
    MCR_ASSIGN(const tracer::Registers registers, task->GetRegisters());
    threads.push_back({.tid = task->tid(), .registers = registers});
  }
  return threads;
}

Result<std::unique_ptr<LiveImage>> LiveImage::Create(const TracedProcess& process) {
  MCR_ASSIGN(std::vector<ThreadImage> threads, ReadThreads(process));
  return CreateStopped(process.pid, std::move(threads));
}

Result<std::unique_ptr<LiveImage>> LiveImage::CreateStopped(
    pid_t pid, std::vector<ThreadImage> threads, std::optional<std::vector<int>> epoll_sets,
    std::shared_ptr<tracer::FilePages> file_pages) {
  MCR_ASSIGN(const tracer::TaskStat stat, ProcFs().ReadStat(pid));
  MCR_ASSIGN(auto image, Open(pid, stat.parent, std::move(epoll_sets), std::move(file_pages)));
  image->threads_ = std::move(threads);
  PutInOrder(image->threads_);
  return image;
}

Result<std::unique_ptr<LiveImage>> LiveImage::CreateRunning(pid_t pid) {
  MCR_ASSIGN(const std::vector<pid_t> tids, ProcFs().Threads(pid));
  std::vector<ThreadImage> threads;
  for (const pid_t tid : tids) threads.push_back({.tid = tid});
  return CreateStopped(pid, std::move(threads));
}

void LiveImage::SetStack(pid_t tid, const std::vector<tracer::Frame>& stack) {
  checkpoint::SetStack(tid, stack, threads_);
}

Status LiveImage::FindEpollSets() {
  MCR_ASSIGN(const std::vector<int> descriptors, ProcFs().Descriptors(pid_));
  for (const int fd : descriptors) {
    // A running process may have closed it meanwhile.
    const auto target = ProcFs().ReadLink(pid_, "fd/" + std::to_string(fd));
    if (target && *target == "anon_inode:[eventpoll]") epoll_sets_.push_back(fd);
  }
  return {};
}

Status LiveImage::ReadEpoll() {
  for (const int fd : epoll_sets_) {
    MCR_ASSIGN(const std::string text, ProcFs().ReadText(pid_, "fdinfo/" + std::to_string(fd)));
    MCR_ASSIGN(const std::vector<EpollEntry> entries, ParseEpollInfo(fd, text));
    epoll_entries_.insert(epoll_entries_.end(), entries.begin(), entries.end());
  }
  PutInOrder(epoll_entries_);
  return {};
}

Status LiveImage::ReadTimers() {
  MCR_ASSIGN(const std::string text, ProcFs().ReadText(pid_, "timers"));
  MCR_ASSIGN(timers_, ParseTimers(text));
  return {};
}

Status LiveImage::ReadLayout() {
  MCR_ASSIGN(const tracer::TaskStat stat, ProcFs().ReadStat(pid_));
  layout_ = {.start_code = stat.start_code,
             .end_code = stat.end_code,
             .start_data = stat.start_data,
             .end_data = stat.end_data,
             .start_brk = stat.start_brk,
             .brk = stat.start_brk,
             .start_stack = stat.start_stack,
             .arg_start = stat.arg_start,
             .arg_end = stat.arg_end,
             .env_start = stat.env_start,
             .env_end = stat.env_end,
             .auxv = {}};
  for (const Mapping& mapping : mappings_) {
    if (mapping.path == "[heap]") layout_.brk = std::max(layout_.brk, mapping.range.end());
  }
  MCR_ASSIGN(layout_.auxv, ProcFs().ReadAuxiliaryVector(pid_));
  EndWithNull(layout_.auxv);
  return {};
}

Result<Answers> AskProcess(TracedProcess& process) {
  MCR_ASSIGN(const tracer::TaskStatus status, ProcFs().ReadStatus(process.pid));
  std::vector<BatchedCall> calls = {BrkCall(), SignalStackCall()};
  for (int signal = 1; signal <= 64; ++signal) {
    if ((status.caught_signals >> (signal - 1)) & 1) calls.push_back(SigactionCall(signal));
  }
  MCR_ASSIGN(const auto injection, tracer::Injection::Open(process));
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, "PID " + std::to_string(process.pid)));
  Answers answers;
  MCR_ASSIGN(answers.epoll_sets, AskForEpollSets(*injection, status.descriptor_slots));
  MCR_TRY(injection->Close());
  answers.brk = Addr(static_cast<uint64_t>(*calls.front().result));
  AddSignalStack(process.main().tid(), calls[1], answers);
  for (size_t i = 2; i < calls.size(); ++i) answers.signal_handlers.push_back(HandlerOf(calls[i]));
  if (RunOnSignalStacks(answers.signal_handlers)) {
    for (const auto& task : process.tasks) {
      if (task->tid() != process.main().tid()) MCR_TRY(AskThread(process, *task, answers));
    }
    PutInOrder(answers.signal_stacks);
  }
  return answers;
}

void LiveImage::SetAnswers(Answers answers) {
  layout_.brk = answers.brk;
  signal_stacks_ = std::move(answers.signal_stacks);
  signal_handlers_ = std::move(answers.signal_handlers);
}

Status LiveImage::Read(Addr from, std::span<std::byte> into) const {
  return into.size() <= kFewBytes ? cache_.Read(from, into) : memory_.Read(from, into);
}

// All at once: to ask for one mapping takes as long as for ten.
Result<const std::vector<Range<Addr>>*> LiveImage::AnonymousPages() const {
  if (!anonymous_) {
    std::vector<Range<Addr>> own;
    for (const Mapping& mapping : mappings_) {
      const bool is_kernels = mapping.path == "[vsyscall]";  // behind all that is the process's
      if (!mapping.shared && !is_kernels) own.push_back(mapping.range);
    }
    MCR_ASSIGN(anonymous_, pagemap_.Pages(own, tracer::PageKind::kAnonymous));
  }
  return &*anonymous_;
}

Result<std::vector<Range<Addr>>> LiveImage::PopulatedRanges(Range<Addr> range) const {
  std::vector<Range<Addr>> pages;
  for (const Mapping& mapping : mappings_) {
    const Range<Addr> part = mapping.range.Intersection(range);
    if (!mapping.range.Overlaps(range) || part.empty()) continue;
    if (mapping.shared) {
      MCR_ASSIGN(const auto found, tracer::SharedPages(pid(), mapping, part, pagemap_));
      pages.insert(pages.end(), found.begin(), found.end());
      continue;
    }
    MCR_ASSIGN(const std::vector<Range<Addr>>* const own, AnonymousPages());
    for (auto each = std::ranges::upper_bound(*own, part.begin(), {}, &Range<Addr>::end);
         each != own->end() && each->Overlaps(part); ++each) {
      pages.push_back(each->Intersection(part));
    }
  }
  return pages;
}

}  // namespace mcr::checkpoint
