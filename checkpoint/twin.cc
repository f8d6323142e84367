#include "checkpoint/twin.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/live_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;
using tracer::LiveMemory;
using tracer::ProcFs;

constexpr uint64_t kPiece = 64 << 10;  // bytes compared at once
constexpr int kEndTimeout = 10000;     // milliseconds

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

// The PID that we know a process by that has `inner` in the namespace of `sibling`.
Result<pid_t> OuterPid(pid_t sibling, pid_t inner) {
  const ProcFs procfs;
  MCR_ASSIGN(const std::string theirs, procfs.ReadLink(sibling, "ns/pid"));
  MCR_ASSIGN(const std::string ours, procfs.ReadLink(getpid(), "ns/pid"));
  if (theirs == ours) return inner;
  MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Processes());
  for (const pid_t pid : pids) {
    const auto status = procfs.ReadStatus(pid);
    if (!status || status->namespace_pids.empty() || status->namespace_pids.back() != inner) {
      continue;
    }
    const auto its = procfs.ReadLink(pid, "ns/pid");
    if (its && *its == theirs) return pid;
  }
  return Fail("the twin was not found", Where(sibling));
}

// Has the process fork.
Result<tracer::InjectedTwin> ForkIn(tracer::TracedProcess& process) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const Addr twin_at, injection->Scratch());
  MCR_ASSIGN(const uint64_t ran, injection->Run(tracer::TwinCode(), {twin_at.value()}));
  MCR_ASSIGN(const auto twin, injection->memory().ReadValue<tracer::InjectedTwin>(twin_at));
  const int64_t failed = std::min(static_cast<int64_t>(ran), int64_t{twin.pid});
  MCR_TRY(injection->Close());
  if (failed < 0) {
    errno = static_cast<int>(-failed);
    return FailErrno("the server cannot be forked", Where(process.pid),
                     "try --checkpoint=criu, or raise the limit that it is at");
  }
  return twin;
}

// From here on the copy ends with this descriptor, however we may end.
Result<OwnedFd> TakeLifeline(pid_t pid, const tracer::InjectedTwin& twin) {
  MCR_ASSIGN(OwnedFd lifeline, tracer::FetchFd(pid, twin.sockets[1]));
  const char byte = 0;
  if (send(lifeline.get(), &byte, 1, MSG_NOSIGNAL) != 1) {
    return FailErrno("the twin of the server does not answer", Where(pid));
  }
  return lifeline;
}

// Writes the pages of `range` that differ between the two.
Status CopyBack(const LiveMemory& from, LiveMemory& to, Range<Addr> range) {
  std::vector<std::byte> was(kPiece), is(kPiece);
  for (Addr at = range.begin(); at < range.end(); at = at + kPiece) {
    const size_t size = std::min(kPiece, range.end() - at);
    MCR_TRY(from.Read(at, std::span(was).first(size)));
    MCR_TRY(to.Read(at, std::span(is).first(size)));
    if (std::equal(was.begin(), was.begin() + static_cast<std::ptrdiff_t>(size), is.begin())) {
      continue;
    }
    MCR_TRY(to.Write(at, std::span(was).first(size)));
  }
  return {};
}

}  // namespace

Status Twin::Check(pid_t pid) {
  MCR_ASSIGN(const std::string status, ProcFs().ReadText(pid, "status"));
  if (status.find("\nSeccomp:\t2") == std::string::npos) return {};
  return Fail("a process with a seccomp filter might be killed for a fork", Where(pid),
              "use --checkpoint=criu");
}

Result<std::unique_ptr<Twin>> Twin::Fork(tracer::TracedProcess& process) {
  MCR_ASSIGN(const tracer::InjectedTwin forked, ForkIn(process));
  MCR_ASSIGN(const pid_t pid, OuterPid(process.pid, forked.pid));
  MCR_ASSIGN(OwnedFd lifeline, TakeLifeline(pid, forked));
  OwnedFd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!ended.valid()) return FailErrno("the twin of the server is gone", Where(process.pid));
  return std::unique_ptr<Twin>(new Twin(process.pid, pid, std::move(lifeline), std::move(ended)));
}

Twin::~Twin() {
  lifeline_.Reset();
  pollfd gone{.fd = ended_.get(), .events = POLLIN, .revents = 0};
  while (poll(&gone, 1, kEndTimeout) < 0 && errno == EINTR) {
  }
}

Status Twin::Restore() const {
  MCR_ASSIGN(const auto was, LiveImage::CreateRunning(pid_));
  MCR_ASSIGN(const LiveMemory from, LiveMemory::Open(pid_));
  MCR_ASSIGN(LiveMemory to, LiveMemory::Open(original_));
  MCR_ASSIGN(const Mappings now, ProcFs().ReadMappings(original_));
  for (const Mapping& mapping : was->mappings()) {
    const Mapping* same = FindMapping(now, mapping.range.begin());
    const bool there = same != nullptr && same->range.Contains(mapping.range);
    if (mapping.shared || !mapping.readable || !there) continue;
    MCR_ASSIGN(const auto pages, was->PopulatedRanges(mapping.range));
    for (const Range<Addr>& range : pages) MCR_TRY(CopyBack(from, to, range));
  }
  return {};
}

}  // namespace mcr::checkpoint
