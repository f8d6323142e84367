// Whether a process can be traced and updated at all, asked before anything is done to it.
#ifndef MCR_TRACER_ATTACHABLE_H_
#define MCR_TRACER_ATTACHABLE_H_

#include <sys/types.h>

#include "mcr/base/result.h"

namespace mcr::tracer {

// An error in one line if `pid` does not exist, is a thread or a kernel thread, has ended, is this
// process or one that this process descends from, is traced already (the error says by which
// process), or is not a 64-bit x86 process.
Status CheckAttachable(pid_t pid);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_ATTACHABLE_H_
