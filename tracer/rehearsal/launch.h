// Turns the calling process into the program of a StartRecord.
#ifndef MCR_TRACER_REHEARSAL_LAUNCH_H_
#define MCR_TRACER_REHEARSAL_LAUNCH_H_

#include "mcr/base/result.h"
#include "tracer/rehearsal/start_record.h"

namespace mcr::tracer {

// New session, limits, root, credentials, working directory, signal dispositions, then execve(2) of
// the record's executable with standard input from /dev/null, and `output` as standard output and
// error. Every other descriptor is closed by the exec. Returns only if something fails.
Error Launch(const StartRecord& start, int output);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_LAUNCH_H_
