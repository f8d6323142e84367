#include "tracer/sys/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace mcr::tracer {
namespace {

using Work = std::function<void()>;

void* Call(void* work) {
  (*static_cast<const Work*>(work))();
  return nullptr;
}

// A thread that begins where it is to run: one that has to move there itself waits first until its
// creator, who has work of its own, leaves it a slice of this processor.
class Helper {
 public:
  Helper(const Work& work, const cpu_set_t& processors) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setaffinity_np(&attributes, sizeof processors, &processors);
    started_ = pthread_create(&thread_, &attributes, Call, const_cast<Work*>(&work)) == 0;
    pthread_attr_destroy(&attributes);
  }
  Helper(Helper&& other) noexcept
      : thread_(other.thread_), started_(std::exchange(other.started_, false)) {}
  Helper& operator=(Helper&&) = delete;
  ~Helper() {
    if (started_) pthread_join(thread_, nullptr);
  }

 private:
  pthread_t thread_ = {};
  bool started_ = false;  // without it the others do its work
};

}  // namespace

Status InParallel(size_t count, const cpu_set_t& others,
                  const std::function<Status(size_t)>& each) {
  std::vector<Status> done(count);
  std::atomic<size_t> next = 0;
  const Work work = [&] {
    for (size_t i = next++; i < count; i = next++) done[i] = each(i);
  };
  {
    std::vector<Helper> helpers;
    const size_t processors = static_cast<size_t>(CPU_COUNT(&others));
    while (helpers.size() < std::min(processors, count == 0 ? 0 : count - 1)) {
      helpers.emplace_back(work, others);
    }
    work();
  }
  for (Status& status : done) MCR_TRY(std::move(status));
  return {};
}

}  // namespace mcr::tracer
