// Brings every thread of a group to a quiescent point: blocked in, or about to enter, a system call
// that the profile lists, with the call stack that it lists. (Quiescence detection; MCR, Middleware
// 2014, section 4.) A thread on whose stack there is no function of the program (an allocator's, a
// library's) is at one in any blocking call: no code that it is going to return to is exchanged.
#ifndef MCR_TRACER_QUIESCE_QUIESCE_H_
#define MCR_TRACER_QUIESCE_QUIESCE_H_

#include <sys/types.h>
#include <sys/user.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "profiles/profile.h"
#include "tracer/task_group.h"
#include "tracer/unwind.h"

namespace mcr::tracer {

struct QuiescentThread {
  pid_t pid = 0;
  pid_t tid = 0;
  std::string role;  // of the profile; "" if the point was assumed, or for a library's own thread
  std::string system_call;
  std::vector<Frame> stack;
  // As the thread will go on with: the interrupted call restarted or ended (see restart.h),
  // orig_rax -1 so that the kernel does not restart it a second time.
  user_regs_struct registers = {};
};

struct QuiesceOptions {
  std::chrono::milliseconds deadline{1000};
  // Name of the program's function that holds an address of a process, "" if none: supplied by the
  // caller, who has the symbols.
  std::function<std::string(pid_t pid, Addr instruction)> function_name;
  // Somebody else is going to have the threads execute code before they go on, and return from it
  // by rt_sigreturn(2), as CRIU does: the kernel then forgets how long an interrupted call still
  // has to wait, and would end it.
  bool restarts_are_forgotten = false;
};

// Addresses learned while the server still runs: of the `syscall` instruction of each quiescent
// point that a thread blocks in now. A thread that is not asleep in its call when the pause begins
// is caught by a hardware breakpoint there, or, where none was learned, at its system calls.
class Quiescer {
 public:
  // Without a profile: each thread's present blocking call is taken for its quiescent point
  // (`assumed()` says so). The profile must outlive the quiescer.
  static Result<std::unique_ptr<Quiescer>> Create(const profiles::Profile* profile,
                                                  QuiesceOptions options);
  virtual ~Quiescer() = default;

  // Before the pause: looks at the threads, for a few milliseconds if they are busy, to learn call
  // sites. No thread is stopped; signals that come are passed on.
  virtual Status Prepare(TaskGroup& group) = 0;

  // Still before it: where a thread was when somebody had stopped it for a moment. What unwinding
  // reads of files is kept, and spares the pause most of its reading.
  virtual void LookAhead(pid_t pid, const user_regs_struct& registers) = 0;

  // The pause begins. On success every task of the group is stopped and has its registers set as in
  // the result; a breakpoint is left nowhere. On failure (the deadline passed: names thread, its
  // system call or function) every task is running again.
  virtual Result<std::vector<QuiescentThread>> Quiesce(TaskGroup& group) = 0;

  virtual const std::vector<std::string>& assumed() const = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_QUIESCE_QUIESCE_H_
