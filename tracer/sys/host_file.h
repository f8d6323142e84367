// What the kernel says about the host as a whole in /proc (proc(5)).
#ifndef MCR_TRACER_SYS_HOST_FILE_H_
#define MCR_TRACER_SYS_HOST_FILE_H_

#include <string>

namespace mcr::tracer {

// The text of a file below /proc ("filesystems", "sys/kernel/ostype"); "" if there is none.
std::string ReadHostFile(const std::string& name);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_HOST_FILE_H_
