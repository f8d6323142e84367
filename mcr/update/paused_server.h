// Stages 3 and 4: the server attached, brought to its quiescent points, and checkpointed there.
#ifndef MCR_UPDATE_PAUSED_SERVER_H_
#define MCR_UPDATE_PAUSED_SERVER_H_

#include <sched.h>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/cgroup_freezer.h"
#include "checkpoint/criu/criu_dump.h"
#include "checkpoint/criu/image_directory.h"
#include "checkpoint/live_image.h"
#include "checkpoint/twin.h"
#include "mcr/base/result.h"
#include "mcr/update/function_names.h"
#include "mcr/update/inspect.h"
#include "mcr/update/stack_names.h"
#include "tracer/quiesce/quiesce.h"
#include "tracer/sys/affinity.h"
#include "tracer/task_group.h"
#include "tracer/workspace.h"

namespace mcr::update {

class PausedServer {
 public:
  // Before the pause: attaches, learns call sites, starts CRIU up to where it waits for us.
  static Result<std::unique_ptr<PausedServer>> Prepare(const Inspection& server,
                                                       const Options& options);
  PausedServer(const PausedServer&) = delete;
  PausedServer& operator=(const PausedServer&) = delete;
  ~PausedServer();  // whatever state the server is in: it runs on afterwards

  // The pause begins here.
  Status Quiesce();
  // Meanwhile the images can be read, by another thread. Returns the milliseconds that CRIU says it
  // kept the tasks frozen.
  Result<double> TakeCheckpoint();

  // The memory of the tasks is written to from here on: unless Resume is called, it has to be as it
  // was. Whoever writes undoes that; twins, where there are any, are what is compared with then.
  void ExpectWrites() { written_ = true; }

  // The pause ends here: the tasks run on, with the registers that they have now.
  Status Resume();

  // Where helpers of the pause may run.
  cpu_set_t other_processors() const { return pinned_->others(); }

  tracer::TaskGroup& tasks() { return *tasks_; }
  const std::vector<tracer::QuiescentThread>& threads() const { return threads_; }
  const std::vector<std::unique_ptr<checkpoint::LiveImage>>& images() const { return images_; }
  const std::vector<StackNames>& stacks() const {
    return stacks_;
  }  // of the main threads; order of images()
  // The innermost function of the old program on the thread's stack; "" if there is none.
  std::string CallerOf(const tracer::QuiescentThread& thread);
  const std::vector<std::string>& assumed() const { return quiescer_->assumed(); }
  double quiescence_ms() const { return quiescence_ms_; }

 private:
  explicit PausedServer(const Inspection& server)
      : server_(server), known_files_(server.OldFiles()) {}

  Status PrepareQuiescer(const Options& options);
  Status PrepareCheckpoint();
  Status MakeWorkspaces();
  Status RemoveWorkspaces();
  void RemoveLeftWorkspaces();
  Result<double> Dump();
  Status ForkTwins();
  Status TakeImages();
  void TakeStacks(checkpoint::LiveImage& image);
  const FunctionNames& LearnFunctions(pid_t pid);
  std::string FunctionAt(pid_t pid, Addr instruction);

  // Members are destroyed in reverse order: the tasks are let go before the cgroup that they are in
  // is removed, and the CRIU that may hold them ends before both.
  const Inspection& server_;
  std::optional<tracer::PinnedToProcessor> pinned_;
  const std::vector<KnownFile> known_files_;
  std::map<pid_t, FunctionNames> functions_;  // by process
  std::unique_ptr<checkpoint::FrozenCgroup> cgroup_;
  std::optional<checkpoint::ImageDirectory> directory_;
  std::vector<std::unique_ptr<checkpoint::Twin>> twins_;
  std::optional<tracer::TaskGroup> tasks_;
  std::unique_ptr<tracer::Quiescer> quiescer_;
  std::unique_ptr<checkpoint::CriuDump> dump_;
  std::map<pid_t, std::shared_ptr<const tracer::Workspace>> workspaces_;
  bool paused_ = false;
  bool written_ = false;
  double quiescence_ms_ = 0;
  std::vector<tracer::QuiescentThread> threads_;
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images_;
  std::vector<StackNames> stacks_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_PAUSED_SERVER_H_
