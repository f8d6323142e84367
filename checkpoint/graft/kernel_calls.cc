#include "checkpoint/graft/kernel_calls.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>
#include <string>

#include "tracer/remote_call.h"

namespace mcr::checkpoint {
namespace {

// struct kernel_sigaction of rt_sigaction(2): the order differs from libc's struct sigaction.
struct KernelSigaction {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};

BatchedCall MapCall(const NewMapping& mapping, const std::vector<int>& new_files) {
  const uint64_t flags =
      MAP_PRIVATE | MAP_FIXED_NOREPLACE | (mapping.anonymous ? MAP_ANONYMOUS : 0);
  const int fd = mapping.anonymous ? -1 : new_files[mapping.file];
  return {.what = "map the new version at " + Hex(mapping.range.begin()),
          .number = SYS_mmap,
          .arguments = {mapping.range.begin().value(), mapping.range.size(),
                        static_cast<uint64_t>(mapping.protection), flags, static_cast<uint64_t>(fd),
                        mapping.anonymous ? 0 : mapping.file_offset}};
}

BatchedCall SignalStackCall(const SignalStack& stack) {
  const stack_t wanted{reinterpret_cast<void*>(stack.begin.value()), stack.flags, stack.size};
  return {.what = "set the stack of signal handlers of thread " + std::to_string(stack.tid),
          .number = SYS_sigaltstack,
          .data = BytesOf(wanted),
          .data_argument = 0};
}

BatchedCall EpollCall(const EpollEntry& entry, uint64_t operation) {
  const epoll_event event{entry.events, {.u64 = entry.data}};
  return {.what = "change descriptor " + std::to_string(entry.fd) + " in epoll set " +
                  std::to_string(entry.epoll_fd),
          .number = SYS_epoll_ctl,
          .arguments = {static_cast<uint64_t>(entry.epoll_fd), operation,
                        static_cast<uint64_t>(entry.fd), 0},
          .data = BytesOf(event),
          .data_argument = 3,
          .may_fail = operation == EPOLL_CTL_DEL};
}

}  // namespace

BatchedCall SigactionCall(const SignalHandler& handler) {
  const KernelSigaction action{handler.handler.value(), handler.flags, handler.restorer.value(),
                               handler.mask};
  return {.what = "set the handler of signal " + std::to_string(handler.signal),
          .number = SYS_rt_sigaction,
          .arguments = {static_cast<uint64_t>(handler.signal), 0, 0, sizeof(handler.mask)},
          .data = BytesOf(action),
          .data_argument = 1};
}

// One that wakes only one of many cannot be changed (epoll_ctl(2), EPOLLEXCLUSIVE).
void AddEpollCalls(const EpollEntry& entry, std::vector<BatchedCall>& calls) {
  const bool exclusive = (entry.events & EPOLLEXCLUSIVE) != 0;
  if (exclusive) calls.push_back(EpollCall(entry, EPOLL_CTL_DEL));
  calls.push_back(EpollCall(entry, exclusive ? EPOLL_CTL_ADD : EPOLL_CTL_MOD));
}

std::vector<BatchedCall> CallsFor(const ProcessGraft& graft, const std::vector<int>& new_files) {
  std::vector<BatchedCall> calls;
  for (const NewMapping& mapping : graft.mappings) calls.push_back(MapCall(mapping, new_files));
  for (const SignalHandlerChange& change : graft.signal_handlers) {
    calls.push_back(SigactionCall(change.after));
  }
  for (const EpollChange& change : graft.epoll) AddEpollCalls(change.after, calls);
  return calls;
}

Status SetSignalStack(tracer::TracedProcess& process, tracer::Task& task,
                      const SignalStack& stack) {
  std::vector<BatchedCall> calls = {SignalStackCall(stack)};
  MCR_ASSIGN(const auto injection, tracer::Injection::Open(process, task));
  MCR_TRY(RunBatch(*injection, calls));
  MCR_TRY(CheckResults(calls, "TID " + std::to_string(task.tid())));
  return injection->Close();
}

}  // namespace mcr::checkpoint
