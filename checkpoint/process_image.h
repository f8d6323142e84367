// One process as an update sees it: memory, mappings, threads, and what the kernel holds for it.
//
// Three implementations say the same about the same process: LiveImage (stopped tasks), CriuImage
// (a checkpoint directory) and FakeImage (tests). The mutator knows this interface only.
#ifndef MCR_CHECKPOINT_PROCESS_IMAGE_H_
#define MCR_CHECKPOINT_PROCESS_IMAGE_H_

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// One active frame, found by unwinding (tracer/unwind.h says what each part means).
struct StackFrame {
  Addr instruction;
  Addr stack_pointer;
  std::array<Addr, 6> saved = {};  // rbx, rbp, r12, r13, r14, r15; null: in the register
};

struct ThreadImage {
  pid_t tid = 0;
  // As the thread will go on with: rip at or after its system call.
  user_regs_struct registers = {};
  // Where its active frames keep their return addresses, sorted. Found by unwinding; empty if
  // nobody did.
  std::vector<Addr> return_slots = {};
  std::vector<StackFrame> frames = {};  // innermost first; empty if nobody unwound
};

// sigaction(2) as the kernel keeps it; only signals with a handler are listed.
struct SignalHandler {
  int signal = 0;
  Addr handler;
  uint64_t flags = 0;
  Addr restorer;
  uint64_t mask = 0;
};

// One descriptor registered with an epoll instance (/proc/PID/fdinfo of `epoll_fd`).
struct EpollEntry {
  int epoll_fd = -1;
  int fd = -1;
  uint32_t events = 0;
  uint64_t data = 0;
};

// timer_create(2), as /proc/PID/timers shows it.
struct Timer {
  int id = 0;
  int clock = 0;     // CLOCK_*; negative: the processor time of some task
  int notify = 0;    // SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD_ID
  pid_t thread = 0;  // that SIGEV_THREAD_ID names
  int signal = 0;
  uint64_t value = 0;  // sigev_value, which the signal carries
};

// sigaltstack(2) of a thread that has one.
struct SignalStack {
  pid_t tid = 0;
  Addr begin;
  uint64_t size = 0;  // bytes
  int flags = 0;      // SS_AUTODISARM, and what sigaltstack(2) says of the moment
};

// The numbers that /proc/PID/stat shows and PR_SET_MM_MAP sets (prctl(2), struct prctl_mm_map).
struct MemoryLayout {
  Addr start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
  Addr arg_start, arg_end, env_start, env_end;
  std::vector<std::byte> auxv;
};

// Whether one of the handlers wants to run on a stack of its own (SA_ONSTACK).
inline bool RunOnSignalStacks(const std::vector<SignalHandler>& handlers) {
  return std::ranges::any_of(
      handlers, [](const SignalHandler& each) { return (each.flags & SA_ONSTACK) != 0; });
}

class ProcessImage : public MemoryReader {
 public:
  virtual pid_t pid() const = 0;
  virtual pid_t parent() const = 0;
  virtual const Mappings& mappings() const = 0;
  // The main thread first, the others by id.
  virtual const std::vector<ThreadImage>& threads() const = 0;
  virtual const std::vector<SignalHandler>& signal_handlers() const = 0;
  virtual const std::vector<EpollEntry>& epoll_entries() const = 0;  // by descriptors
  virtual const std::vector<Timer>& timers() const = 0;              // by id
  virtual const MemoryLayout& layout() const = 0;

  // Pages within `range` whose contents may differ from the mapped file's (anonymous, or copied on
  // write); pages that nobody touched are left out. Sorted, page-aligned. For shared mappings: all
  // present pages.
  virtual Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const = 0;

  // The main thread's; the others' as well if a signal handler asks for such a stack (SA_ONSTACK).
  virtual const std::vector<SignalStack>& signal_stacks() const = 0;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_PROCESS_IMAGE_H_
