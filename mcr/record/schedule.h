// When what was said at some time of a recording may be said again.
#ifndef MCR_RECORD_SCHEDULE_H_
#define MCR_RECORD_SCHEDULE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace mcr::record {

// Keeps the recorded order over all clients: what one said after another was answered is said after
// it is answered again, however long that takes. Of two halves: the second begins when it is told
// to. Safe for several threads.
class Schedule {
 public:
  using Clock = std::chrono::steady_clock;

  // `first_us`: for each client, when the first of its pieces was recorded. `speed`: of the
  // recorded time; 0: at once. `middle_us`: where the halves meet.
  Schedule(std::vector<uint64_t> first_us, double speed, uint64_t middle_us, bool halved)
      : speed_(speed),
        middle_us_(middle_us),
        second_half_(!halved),
        next_us_(std::move(first_us)) {}

  // Until it is the turn of what `client` said, or was told, then.
  void Await(size_t client, uint64_t at_us);
  // The next of `client`'s pieces was recorded then; kNone: there is none.
  void Next(size_t client, uint64_t at_us);
  void AwaitMiddle() const;
  // `paused`: for how long the clients were held back.
  void BeginSecondHalf(Clock::duration paused);

  static constexpr uint64_t kNone = UINT64_MAX;

 private:
  Clock::duration Scaled(uint64_t at_us) const;
  bool MayBegin(size_t client, uint64_t at_us) const;

  const double speed_;
  const uint64_t middle_us_;
  const Clock::time_point began_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  Clock::duration delay_{};
  bool second_half_;
  std::vector<uint64_t> next_us_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_SCHEDULE_H_
