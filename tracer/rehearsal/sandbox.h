// A sandbox: namespaces of its own in which a program is started as a server was started.
//
// It holds one process of ours (init.h) and whatever that has started. Mounts, the network and all
// files written vanish with the last process; that is guaranteed by the kernel, also when mcr is
// killed.
#ifndef MCR_TRACER_REHEARSAL_SANDBOX_H_
#define MCR_TRACER_REHEARSAL_SANDBOX_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/rehearsal/channel.h"
#include "tracer/rehearsal/replacement.h"
#include "tracer/rehearsal/start_record.h"
#include "tracer/sys/child.h"

namespace mcr::tracer {

class Sandbox {
 public:
  // Returns when the program has been executed, or fails with the reason why it could not.
  // `program` is started, and appears inside as start.executable.
  static Result<std::unique_ptr<Sandbox>> Start(const StartRecord& start,
                                                const std::string& program,
                                                std::vector<Replacement> replacements);

  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox() = default;  // kills and reaps

  // PID 1 inside, by its PID outside.
  pid_t init() const { return init_.pid(); }

  // The next message of init about processes that have ended; nullopt: none at the moment.
  Result<std::optional<Message>> Poll();

  // The last line that was written to standard output or error, "" if nothing was.
  std::string LastOutput() const;

  // Kills every process inside. They are gone when Wait returns true; processes that are traced
  // must be reaped by their tracer first.
  void Kill() { init_.Kill(); }
  bool Wait(std::chrono::milliseconds timeout) { return init_.Wait(timeout); }

 private:
  Sandbox(OwnedFd channel, OwnedFd output, Child init)
      : channel_(std::move(channel)), output_(std::move(output)), init_(std::move(init)) {}

  OwnedFd channel_;
  OwnedFd output_;
  Child init_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_SANDBOX_H_
