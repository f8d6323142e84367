#include "mcr/record/schedule.h"

#include <thread>

namespace mcr::record {

// The client whose next piece is the earliest of all never waits for another.
bool Schedule::MayBegin(size_t client, uint64_t at_us) const {
  if (at_us > middle_us_ && !second_half_) return false;
  for (size_t other = 0; other < next_us_.size(); ++other) {
    if (other != client && next_us_[other] < at_us) return false;
  }
  return true;
}

void Schedule::Await(size_t client, uint64_t at_us) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return MayBegin(client, at_us); });
  const Clock::time_point when = began_ + delay_ + Scaled(at_us);
  lock.unlock();
  if (speed_ > 0) std::this_thread::sleep_until(when);
}

void Schedule::Next(size_t client, uint64_t at_us) {
  {
    const std::lock_guard lock(mutex_);
    next_us_[client] = at_us;
  }
  changed_.notify_all();
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
  changed_.notify_all();
}

Schedule::Clock::duration Schedule::Scaled(uint64_t at_us) const {
  if (speed_ <= 0) return {};
  return std::chrono::microseconds(static_cast<int64_t>(static_cast<double>(at_us) / speed_));
}

}  // namespace mcr::record
