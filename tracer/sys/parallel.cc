#include "tracer/sys/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "tracer/sys/affinity.h"

namespace mcr::tracer {

Status InParallel(size_t count, const cpu_set_t& others,
                  const std::function<Status(size_t)>& each) {
  std::vector<Status> done(count);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) done[i] = each(i);
  };
  {
    std::vector<std::jthread> helpers;
    const size_t processors = static_cast<size_t>(CPU_COUNT(&others));
    while (helpers.size() < std::min(processors, count == 0 ? 0 : count - 1)) {
      helpers.emplace_back([&] {
        MoveTo(others);
        work();
      });
    }
    work();
  }
  for (Status& status : done) MCR_TRY(std::move(status));
  return {};
}

}  // namespace mcr::tracer
