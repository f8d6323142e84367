// Work beside what the pause waits for.
#ifndef MCR_TRACER_SYS_BACKGROUND_H_
#define MCR_TRACER_SYS_BACKGROUND_H_

#include <sys/types.h>

#include <mutex>

namespace mcr::tracer {

// A thread that makes way at once for whoever wakes up where it runs (SCHED_IDLE, sched(7)): a
// tracee that is to take a step would wait for the end of its slice otherwise, four milliseconds,
// while the tracer waits for the tracee.
class Background {
 public:
  // The calling thread, until Leave. One in the life of this.
  void Enter();
  // From any thread. Whoever is in the background works on like everybody, and who comes later
  // does, too: nothing else is waited for any more.
  void Leave();

 private:
  std::mutex mutex_;
  pid_t inside_ = 0;
  bool over_ = false;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_BACKGROUND_H_
