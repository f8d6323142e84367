// Work for the other processors, for the time in which the server stands still.
#ifndef MCR_TRACER_SYS_SIDE_WORK_H_
#define MCR_TRACER_SYS_SIDE_WORK_H_

#include <sched.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

// Pieces of work that other processors can do while the tracer has tracees take steps: each is
// handed over as soon as it can be done, and makes way for them (background.h). No ptrace in it.
class SideWork {
 public:
  // One more thread for each of `others`.
  explicit SideWork(const cpu_set_t& others);
  SideWork(const SideWork&) = delete;
  SideWork& operator=(const SideWork&) = delete;
  ~SideWork();  // waits for what has begun; the rest is not done any more

  // A piece may add others.
  void Add(std::function<Status()> piece);
  // All of them are done when it returns, with the failure of the one that was added first. The
  // caller does its share, and nobody makes way any more: not for the time in which tracees are to
  // run. The last call.
  Status Finish();

 private:
  class Helper;

  void Work(bool awaits_more);
  void Close();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<Status()>> pieces_;
  std::vector<Status> done_;  // of each
  size_t next_ = 0;           // the first that nobody has begun
  bool closed_ = false;       // none is going to be added
  std::vector<std::unique_ptr<Helper>> helpers_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_SIDE_WORK_H_
