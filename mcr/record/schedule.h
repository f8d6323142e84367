// When what was said at some time of a recording may be said again.
#ifndef MCR_RECORD_SCHEDULE_H_
#define MCR_RECORD_SCHEDULE_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace mcr::record {

// Of two halves: the second begins when it is told to. Safe for several threads.
class Schedule {
 public:
  using Clock = std::chrono::steady_clock;

  // `speed`: of the recorded time; 0: at once. `middle_us`: where the halves meet.
  Schedule(double speed, uint64_t middle_us, bool halved)
      : speed_(speed), middle_us_(middle_us), second_half_(!halved) {}

  void Await(uint64_t at_us);
  void AwaitMiddle() const;
  // `paused`: for how long the clients were held back.
  void BeginSecondHalf(Clock::duration paused);

 private:
  Clock::duration Scaled(uint64_t at_us) const;

  const double speed_;
  const uint64_t middle_us_;
  const Clock::time_point began_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable began_second_;
  Clock::duration delay_{};
  bool second_half_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_SCHEDULE_H_
