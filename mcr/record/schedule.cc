#include "mcr/record/schedule.h"

#include <thread>

namespace mcr::record {

void Schedule::Await(uint64_t at_us) {
  std::unique_lock lock(mutex_);
  if (at_us > middle_us_) began_second_.wait(lock, [this] { return second_half_; });
  const Clock::time_point when = began_ + delay_ + Scaled(at_us);
  lock.unlock();
  if (speed_ > 0) std::this_thread::sleep_until(when);
}

void Schedule::AwaitMiddle() const {
  if (speed_ > 0) std::this_thread::sleep_until(began_ + Scaled(middle_us_));
}

void Schedule::BeginSecondHalf(Clock::duration paused) {
  {
    const std::lock_guard lock(mutex_);
    delay_ = paused;
    second_half_ = true;
  }
  began_second_.notify_all();
}

Schedule::Clock::duration Schedule::Scaled(uint64_t at_us) const {
  if (speed_ <= 0) return {};
  return std::chrono::microseconds(static_cast<int64_t>(static_cast<double>(at_us) / speed_));
}

}  // namespace mcr::record
