// How much the processors have worked for something, as opposed to how long it took.
#ifndef MCR_UPDATE_PROCESSOR_TIME_H_
#define MCR_UPDATE_PROCESSOR_TIME_H_

#include <time.h>

namespace mcr::update {

// CLOCK_PROCESS_CPUTIME_ID: all threads; CLOCK_THREAD_CPUTIME_ID: the calling one.
inline double ProcessorMs(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace mcr::update

#endif  // MCR_UPDATE_PROCESSOR_TIME_H_
