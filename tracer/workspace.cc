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

// Written through /proc/PID/mem, the code is never writable in the process.
Status Workspace::MakeIn(TracedProcess& process) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const uint64_t begin,
             injection->Call(SYS_mmap, {0, kSize, PROT_READ | PROT_EXEC,
                                        MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  const Addr code(begin), scratch(begin + kCodeSize);
  const auto furnish = [&]() -> Status {
    if (AllCode().size() > kCodeSize) return Fail("the injected code is larger than its page");
    MCR_TRY(injection->Call(SYS_mprotect,
                            {scratch.value(), Injection::kScratchSize, PROT_READ | PROT_WRITE}));
    MCR_TRY(injection->Call(SYS_madvise, {begin, kSize, MADV_DONTFORK}));
    MCR_TRY(injection->memory().Write(code, AllCode()));
    return injection->memory().Write(scratch, std::vector<std::byte>(Injection::kScratchSize));
  };
  if (const Status furnished = furnish(); !furnished) {
    MCR_TRY(injection->Call(SYS_munmap, {begin, kSize}));
    return furnished;
  }
  process.workspace.reset(new Workspace(injection->site(), code, scratch));
  return injection->Close();
}

Status Workspace::RemoveFrom(TracedProcess& process) {
  if (process.workspace == nullptr) return {};
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  const auto workspace = std::exchange(process.workspace, nullptr);
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
