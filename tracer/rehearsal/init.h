// PID 1 of a sandbox: sets it up from inside, starts the program, reaps orphans, and ends with mcr.
#ifndef MCR_TRACER_REHEARSAL_INIT_H_
#define MCR_TRACER_REHEARSAL_INIT_H_

#include "tracer/rehearsal/file_system.h"
#include "tracer/rehearsal/network.h"
#include "tracer/rehearsal/start_record.h"

namespace mcr::tracer {

struct InitOptions {
  const StartRecord& start;
  FileSystemOptions file_system;
  NetworkParameters network;
  int channel;  // see channel.h
  int output;   // for the program's standard output and error
};

// Never returns. When it ends, the kernel kills all processes of its PID namespace.
[[noreturn]] void RunInit(const InitOptions& options);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_INIT_H_
