#include "tracer/sys/affinity.h"

namespace mcr::tracer {

PinnedToProcessor::PinnedToProcessor() {
  const int processor = sched_getcpu();
  if (processor < 0 || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  others_ = before_;
  CPU_CLR(processor, &others_);
  if (CPU_COUNT(&others_) == 0) others_ = before_;
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(processor, &here);
  pinned_ = sched_setaffinity(0, sizeof here, &here) == 0;
}

PinnedToProcessor::~PinnedToProcessor() {
  if (pinned_) sched_setaffinity(0, sizeof before_, &before_);
}

void MoveTo(const cpu_set_t& processors) { sched_setaffinity(0, sizeof processors, &processors); }

}  // namespace mcr::tracer
