#include "checkpoint/graft/allocations.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>

#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"

namespace mcr::checkpoint {
namespace {

using tracer::InjectedFunctionCall;
using tracer::Injection;
using tracer::TracedProcess;

constexpr uint64_t kStack = 256 << 10;
constexpr uint64_t kAlignment = 16;  // of a stack

// Makes all calls, in one go, and sets their results.
Status CallAll(TracedProcess& process, std::vector<InjectedFunctionCall>& calls) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  const auto bytes = std::as_writable_bytes(std::span(calls));
  const uint64_t size = (bytes.size() + kStack) / kAlignment * kAlignment;
  MCR_ASSIGN(const uint64_t array,
             injection->Call(SYS_mmap, {0, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  MCR_TRY(injection->memory().Write(Addr(array), bytes));
  const auto ran = injection->Run(tracer::CallFunctionsCode(), {array, calls.size(), array + size});
  if (ran) MCR_TRY(injection->memory().Read(Addr(array), bytes));
  MCR_TRY(injection->Call(SYS_munmap, {array, size}));
  MCR_TRY(ran);
  return injection->Close();
}

InjectedFunctionCall CallFor(const Allocation& wanted, Addr allocate) {
  if (wanted.allocate.IsNull()) return {allocate.value(), {wanted.size, 0}, 0};
  const uint64_t function = wanted.allocate.value(), region = wanted.region.value();
  if (wanted.size_first) return {function, {wanted.size, region}, 0};
  return {function, {region, wanted.size}, 0};
}

// brk(2) as the kernel has it: 0 is no address that it would move the break to.
Result<Addr> ReadBreak(TracedProcess& process) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const uint64_t end, injection->Call(SYS_brk, {0}));
  MCR_TRY(injection->Close());
  return Addr(end);
}

}  // namespace

Status ReleaseAll(TracedProcess& process, Addr release, std::span<const uint64_t> memory) {
  if (memory.empty()) return {};
  std::vector<InjectedFunctionCall> calls;
  for (const uint64_t each : memory) calls.push_back({release.value(), {each, 0}, 0});
  return CallAll(process, calls);
}

Result<Allocations> Allocations::Make(TracedProcess& process, const ProcessGraft& graft) {
  Allocations allocations(graft);
  std::vector<InjectedFunctionCall> calls;
  for (const Allocation& wanted : graft.allocations) {
    calls.push_back(CallFor(wanted, graft.allocate));
  }
  MCR_TRY(CallAll(process, calls));
  for (const InjectedFunctionCall& call : calls) allocations.got_.push_back(call.result);
  MCR_ASSIGN(allocations.break_, ReadBreak(process));
  if (std::ranges::find(allocations.got_, 0u) != allocations.got_.end()) {
    MCR_TRY(allocations.Release(process));
    return Fail("the server's allocator has no memory", "PID " + std::to_string(process.pid));
  }
  return allocations;
}

uint64_t Allocations::Resolve(uint64_t placeholder) const {
  const auto& wanted = graft_.allocations;
  const auto after =
      std::ranges::upper_bound(wanted, Addr(placeholder), {}, &Allocation::placeholder);
  if (after == wanted.begin()) return placeholder;
  const auto index = static_cast<size_t>(after - wanted.begin()) - 1;
  const uint64_t offset = placeholder - wanted[index].placeholder.value();
  return offset <= wanted[index].size ? got_[index] + offset : placeholder;
}

ProcessGraft Allocations::Resolve() const {
  ProcessGraft resolved = graft_;
  for (size_t i = 0; i < got_.size(); ++i) resolved.allocations[i].address = Addr(got_[i]);
  for (const WriteList::Entry& entry : graft_.allocated_writes.entries()) {
    resolved.writes.Add(Addr(Resolve(entry.at.value())), graft_.allocated_writes.bytes(entry));
  }
  for (const AllocatedWord& word : graft_.allocated_words) {
    resolved.writes.AddWord(Addr(Resolve(word.at.value())), Resolve(word.value.value()));
  }
  if (!resolved.layout.start_code.IsNull()) resolved.layout.brk = break_;
  for (RegisterChange& change : resolved.registers) Resolve(change.registers);
  for (EpollChange& change : resolved.epoll) change.after.data = Resolve(change.after.data);
  for (TimerChange& change : resolved.timers) change.after.value = Resolve(change.after.value);
  return resolved;
}

void Allocations::Resolve(user_regs_struct& registers) const {
  // All of its fields are words.
  std::array<unsigned long long, sizeof registers / sizeof(unsigned long long)> words;
  static_assert(sizeof words == sizeof registers);
  std::memcpy(words.data(), &registers, sizeof words);
  for (auto& word : words) word = Resolve(word);
  std::memcpy(&registers, words.data(), sizeof words);
}

std::vector<uint64_t> Allocations::Made() const {
  std::vector<uint64_t> made = {graft_.release.value()};
  for (size_t i = 0; i < got_.size(); ++i) {
    if (got_[i] != 0 && graft_.allocations[i].allocate.IsNull()) made.push_back(got_[i]);
  }
  return made;
}

Status Allocations::Release(TracedProcess& process) const {
  const std::vector<uint64_t> made = Made();
  return ReleaseAll(process, graft_.release, std::span(made).subspan(1));
}

}  // namespace mcr::checkpoint
