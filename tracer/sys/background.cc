#include "tracer/sys/background.h"

#include <sched.h>
#include <unistd.h>

namespace mcr::tracer {
namespace {

// Where it is not allowed, the thread works as before.
void SetPolicy(pid_t tid, int policy) {
  const sched_param none{};
  sched_setscheduler(tid, policy, &none);
}

}  // namespace

void Background::Enter() {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  inside_ = gettid();
  SetPolicy(inside_, SCHED_IDLE);
}

void Background::Leave() {
  const std::lock_guard lock(mutex_);
  over_ = true;
  if (inside_ != 0) SetPolicy(inside_, SCHED_OTHER);
  inside_ = 0;
}

}  // namespace mcr::tracer
