#include "tracer/sys/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

std::string Where(pid_t pid, Addr at) { return "PID " + std::to_string(pid) + " at " + Hex(at); }

// pread or pwrite of all of `size` bytes at `at`, in as many calls as it takes.
template <class Transfer>
Status TransferAll(const char* what, pid_t pid, Addr at, size_t size, Transfer transfer) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = transfer(done, static_cast<off_t>(at.value() + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(what, Where(pid, at + done));
    // The address space is gone: the last thread has exited.
    if (count == 0) {
      errno = ESRCH;
      return FailErrno(what, Where(pid, at + done));
    }
    done += static_cast<size_t>(count);
  }
  return {};
}

}  // namespace

Result<LiveMemory> LiveMemory::Open(pid_t pid) {
  MCR_ASSIGN(OwnedFd mem, ProcFs().Open(pid, "mem", O_RDWR));
  return LiveMemory(pid, std::move(mem));
}

Status LiveMemory::Read(Addr from, std::span<std::byte> into) const {
  return TransferAll("cannot read memory", pid_, from, into.size(), [&](size_t offset, off_t at) {
    return pread(mem_.get(), into.data() + offset, into.size() - offset, at);
  });
}

Status LiveMemory::Write(Addr to, std::span<const std::byte> bytes) {
  return TransferAll("cannot write memory", pid_, to, bytes.size(), [&](size_t offset, off_t at) {
    return pwrite(mem_.get(), bytes.data() + offset, bytes.size() - offset, at);
  });
}

}  // namespace mcr::tracer
