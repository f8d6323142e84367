#ifndef MCR_TRACER_SYS_SIGNAL_NAME_H_
#define MCR_TRACER_SYS_SIGNAL_NAME_H_

#include <string.h>

#include <string>

namespace mcr::tracer {

// "SIGSEGV"; "signal 64" for one without a name of its own.
inline std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_SIGNAL_NAME_H_
