#include "tracer/workspace.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"

namespace mcr::tracer {
namespace {

constexpr uint64_t kCodeSize = 4096;
constexpr uint64_t kSize = kCodeSize + Injection::kScratchSize;

}  // namespace

// All but the first call are made in it.
Status Workspace::MakeIn(TracedProcess& process) {
  static_assert(kScratchSize == Injection::kScratchSize);
  if (AllCode().size() > kCodeSize) return Fail("the injected code is larger than its page");
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const uint64_t begin,
             injection->Call(SYS_mmap, {0, kSize, PROT_READ | PROT_EXEC,
                                        MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  // Through /proc/PID/mem: the code is never writable in the process.
  const Status written = injection->memory().Write(Addr(begin), AllCode());
  if (!written) MCR_TRY(injection->Call(SYS_munmap, {begin, kSize}));
  MCR_TRY(injection->Close());
  MCR_TRY(written);
  process.workspace.reset(new Workspace(injection->site(), Addr(begin), Addr(begin) + kCodeSize));
  const Status furnished = process.workspace->Furnish(process);
  if (!furnished) MCR_TRY(RemoveFrom(process));
  return furnished;
}

Status Workspace::Furnish(TracedProcess& process) const {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(injection->Call(SYS_mprotect,
                          {scratch_.value(), Injection::kScratchSize, PROT_READ | PROT_WRITE}));
  MCR_TRY(injection->Call(SYS_madvise, {code_.value(), kSize, MADV_DONTFORK}));
  MCR_TRY(injection->memory().Write(scratch_, std::vector<std::byte>(Injection::kScratchSize)));
  return injection->Close();
}

Status Workspace::RemoveFrom(TracedProcess& process) {
  if (process.workspace == nullptr) return {};
  const auto workspace = std::exchange(process.workspace, nullptr);
  MCR_ASSIGN(const auto injection, Injection::OpenAt(process, workspace->site_));
  MCR_TRY(injection->Call(SYS_munmap, {workspace->code_.value(), kSize}));
  return injection->Close();
}

std::optional<Addr> Workspace::Find(std::span<const std::byte> code) const {
  const std::span<const std::byte> all = AllCode();
  const bool within = code.data() >= all.data() && code.data() < all.data() + all.size();
  if (!within) return std::nullopt;
  return code_ + static_cast<uint64_t>(code.data() - all.data());
}

}  // namespace mcr::tracer
