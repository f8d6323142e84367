// Kernel parameters (proc_sys(5)). Those below net/ belong to the caller's network namespace.
#ifndef MCR_TRACER_SYS_SYSCTL_H_
#define MCR_TRACER_SYS_SYSCTL_H_

#include <string>
#include <string_view>

#include "mcr/base/result.h"

namespace mcr::tracer {

// `name`: "net/core/somaxconn". The value comes without its newline.
Result<std::string> ReadSysctl(std::string_view name);
Status WriteSysctl(std::string_view name, std::string_view value);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_SYSCTL_H_
