// A server that is started to be looked at, and ended afterwards.
#ifndef MCR_PROFILE_STARTED_SERVER_H_
#define MCR_PROFILE_STARTED_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcr/base/result.h"
#include "tracer/sys/child.h"

namespace mcr::profile {

// In a session of its own, without input; its output is ours.
Result<tracer::Child> Start(const std::vector<std::string>& arguments);

class StartedServer {
 public:
  // Returns when the server runs, in the foreground or as a daemon, and has had time to come to
  // rest.
  static Result<StartedServer> Start(const std::vector<std::string>& arguments);
  StartedServer(StartedServer&&) noexcept = default;
  StartedServer& operator=(StartedServer&&) = delete;
  ~StartedServer();  // SIGTERM, and SIGKILL to what is left after a while

  pid_t main() const { return main_->pid(); }

 private:
  explicit StartedServer(tracer::Child main)
      : main_(std::make_unique<tracer::Child>(std::move(main))) {}

  std::unique_ptr<tracer::Child> main_;
};

}  // namespace mcr::profile

#endif  // MCR_PROFILE_STARTED_SERVER_H_
