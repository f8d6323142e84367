#include "tracer/sys/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

std::string Where(pid_t pid, Addr at) { return "PID " + std::to_string(pid) + " at " + Hex(at); }

constexpr size_t kBufferSize = 64 << 10;
using Buffer = std::array<std::byte, kBufferSize>;

// What the kernel reads from and writes to on our side. In a virtual machine that shadows page
// tables its first access to a page costs ten microseconds, ours to the same page as much again: so
// it only ever sees these few, and copying between them and where the bytes belong is our business.
class HotBuffer {
 public:
  HotBuffer() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      buffer_ = std::make_unique<Buffer>();
    } else {
      buffer_ = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  HotBuffer(const HotBuffer&) = delete;
  HotBuffer& operator=(const HotBuffer&) = delete;
  ~HotBuffer() {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer_));
  }

  std::byte* data() { return buffer_->data(); }

 private:
  static inline std::mutex mutex_;
  static inline std::vector<std::unique_ptr<Buffer>> idle_;  // the one that was used last at the end
  std::unique_ptr<Buffer> buffer_;
};

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
  HotBuffer buffer;
  return TransferAll("cannot read memory", pid_, from, into.size(), [&](size_t offset, off_t at) {
    const size_t size = std::min(into.size() - offset, kBufferSize);
    const ssize_t count = pread(mem_.get(), buffer.data(), size, at);
    if (count > 0) std::memcpy(into.data() + offset, buffer.data(), static_cast<size_t>(count));
    return count;
  });
}

Status LiveMemory::Write(Addr to, std::span<const std::byte> bytes) {
  HotBuffer buffer;
  return TransferAll("cannot write memory", pid_, to, bytes.size(), [&](size_t offset, off_t at) {
    const size_t size = std::min(bytes.size() - offset, kBufferSize);
    std::memcpy(buffer.data(), bytes.data() + offset, size);
    return pwrite(mem_.get(), buffer.data(), size, at);
  });
}

}  // namespace mcr::tracer
