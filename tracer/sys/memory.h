// The memory of a live process.
//
// Reads and writes go through /proc/PID/mem (proc_pid_mem(5)). Writing, the kernel then ignores
// page protection, which is what RELRO and code pages need, and breaks copy-on-write first, so that
// a mapped file never changes. Reading, it leaves pages as they are; process_vm_readv(2) is hardly
// faster, and pins them, for which the kernel copies every page that the process shares with a
// forked copy of itself.
#ifndef MCR_TRACER_SYS_MEMORY_H_
#define MCR_TRACER_SYS_MEMORY_H_

#include <sys/types.h>

#include <cstddef>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

class LiveMemory : public MemoryReader {
 public:
  // The descriptor stays bound to the address space that the process has now: after an execve of
  // the process, open a new one.
  static Result<LiveMemory> Open(pid_t pid);

  // Pages without read permission are read as well.
  Status Read(Addr from, std::span<std::byte> into) const override;

  // Writes all of `bytes` or fails and says at which address.
  Status Write(Addr to, std::span<const std::byte> bytes);
  template <class T>
  Status WriteValue(Addr to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Write(to, std::as_bytes(std::span(&value, 1)));
  }

  pid_t pid() const { return pid_; }

 private:
  LiveMemory(pid_t pid, OwnedFd mem) : pid_(pid), mem_(std::move(mem)) {}

  pid_t pid_;
  OwnedFd mem_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_MEMORY_H_
