// System calls and code executed by a stopped thread of the server on our behalf.
//
// While an Injection is open, all signals of the thread are blocked and its registers are ours;
// closing it puts back exactly what was there (registers, signal mask, the borrowed code bytes).
// The calls run at an executable address of the process that holds a `syscall` instruction already
// (found in its own code, libc or vdso), so that no code page is written.
#ifndef MCR_TRACER_REMOTE_CALL_H_
#define MCR_TRACER_REMOTE_CALL_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

class Injection {
 public:
  // `process`: all its tasks are stopped. The main thread is the one that makes the calls.
  static Result<std::unique_ptr<Injection>> Open(TracedProcess& process);

  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();  // Close(), errors ignored
  Status Close();

  // The system call's result. An error return (-4095..-1) becomes an Error with os_error set, whose
  // `what` names the call.
  Result<uint64_t> Call(long number, std::initializer_list<uint64_t> arguments);

  // Calls a function of the process by the C calling convention (at most six integer arguments) on
  // its stack below the red zone; returns rax. Used for the server's own allocator.
  Result<uint64_t> CallFunction(Addr function, std::initializer_list<uint64_t> arguments);

  // A page of the process for arguments and results, made on first use (anonymous private mapping,
  // read and write), gone when the injection is closed.
  Result<Addr> Scratch();
  static constexpr uint64_t kScratchSize = 4096;  // bytes

  // A page of code made from `code` (position-independent), run from its first byte until it
  // reaches an `int3`; returns rax there. The page is unmapped again.
  Result<uint64_t> Run(std::span<const std::byte> code, std::initializer_list<uint64_t> arguments);

  // Gives the process a copy of our descriptor `fd` (SCM_RIGHTS over a socket pair that the process
  // makes and we fetch with pidfd_getfd: needs no path, no permission of the process, works across
  // mount namespaces). Returns its number there; the caller closes it there.
  Result<int> SendFd(int fd);

 private:
  Injection() = default;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REMOTE_CALL_H_
