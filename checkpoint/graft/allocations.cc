#include "checkpoint/graft/allocations.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;
using tracer::TracedProcess;

constexpr uint64_t kWord = sizeof(uint64_t);

// Replaces each word by what `function` returns for it, in one go.
Status MapWords(TracedProcess& process, Addr function, std::vector<uint64_t>& words) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  const uint64_t size = words.size() * kWord;
  MCR_ASSIGN(const uint64_t array,
             injection->Call(SYS_mmap, {0, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  const auto bytes = std::as_writable_bytes(std::span(words));
  MCR_TRY(injection->memory().Write(Addr(array), bytes));
  const auto ran = injection->Run(tracer::MapWordsCode(), {function.value(), array, words.size()});
  if (ran) MCR_TRY(injection->memory().Read(Addr(array), bytes));
  MCR_TRY(injection->Call(SYS_munmap, {array, size}));
  MCR_TRY(ran);
  return injection->Close();
}

// brk(2) as the kernel has it: 0 is no address that it would move the break to.
Result<Addr> ReadBreak(TracedProcess& process) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const uint64_t end, injection->Call(SYS_brk, {0}));
  MCR_TRY(injection->Close());
  return Addr(end);
}

}  // namespace

Status ReleaseAll(TracedProcess& process, Addr release, std::vector<uint64_t> memory) {
  return memory.empty() ? Status() : MapWords(process, release, memory);
}

Result<Allocations> Allocations::Make(TracedProcess& process, const ProcessGraft& graft) {
  Allocations allocations(graft);
  for (const Allocation& wanted : graft.allocations) allocations.got_.push_back(wanted.size);
  MCR_TRY(MapWords(process, graft.allocate, allocations.got_));
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
  made.insert(made.end(), got_.begin(), got_.end());
  return made;
}

Status Allocations::Release(TracedProcess& process) const {
  std::vector<uint64_t> memory = got_;
  std::erase(memory, 0u);
  return ReleaseAll(process, graft_.release, std::move(memory));
}

}  // namespace mcr::checkpoint
