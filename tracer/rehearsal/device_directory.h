// A /dev with what every program may expect, and no device of the host.
#ifndef MCR_TRACER_REHEARSAL_DEVICE_DIRECTORY_H_
#define MCR_TRACER_REHEARSAL_DEVICE_DIRECTORY_H_

#include <string>

#include "mcr/base/result.h"

namespace mcr::tracer {

// Mounts it on the directory `path`: null, zero, full, random, urandom and tty; terminals, shared
// memory and message queues of its own. No /dev/log: a rehearsal must not write to the host's log.
Status MakeDeviceDirectory(const std::string& path);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_DEVICE_DIRECTORY_H_
