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
#include "checkpoint/graft/undo_log.h"
#include "checkpoint/live_image.h"
#include "checkpoint/twin.h"
#include "mcr/base/result.h"
#include "mcr/update/function_names.h"
#include "mcr/update/hold.h"
#include "mcr/update/inspect.h"
#include "mcr/update/stack_names.h"
#include "tracer/quiesce/quiesce.h"
#include "tracer/task_group.h"
#include "tracer/workspace.h"

namespace mcr::update {

class PausedServer {
 public:
  // Before the pause: starts CRIU up to where it waits for us, on the processors of `helpers`.
  static Result<std::unique_ptr<PausedServer>> Prepare(const Inspection& server,
                                                       const Options& options,
                                                       const cpu_set_t& helpers);
  // The last thing before the pause: attaches, and learns call sites. From here on a signal stops
  // its task until Quiesce handles it.
  Status Attach();
  PausedServer(const PausedServer&) = delete;
  PausedServer& operator=(const PausedServer&) = delete;
  ~PausedServer();  // whatever state the server is in: it runs on afterwards

  // The pause begins here.
  Status Quiesce();
  // What of it needs the tasks to run: to be done before anybody else takes a processor that they
  // may be on.
  Status BeginCheckpoint();
  // Meanwhile the images can be read, by another thread. Returns the milliseconds that CRIU says it
  // kept the tasks frozen.
  Result<double> TakeCheckpoint();

  // The memory of the tasks is written to from here on: unless Resume is called, it has to be as it
  // was. Whoever writes undoes that; twins, where there are any, are what is compared with then.
  void ExpectWrites() { written_ = true; }

  bool is_paused() const { return paused_; }

  // Whoever has written has undone that: the tasks are what they were, and stay stopped.
  void PutBack();

  // Takes away what the pause needed in the tasks; nothing is left to do for them then but Resume.
  Status RemoveWorkspaces();

  // The pause ends here: the tasks run on, with the registers that they have now.
  Status Resume();
  // The same, but they stay traced: who calls this sees to their stops from then on.
  Status ResumeTraced();

  // CRIU's images; nullptr if twins are the checkpoint.
  const checkpoint::ImageDirectory* images_of_criu() const {
    return directory_ ? &*directory_ : nullptr;
  }

  tracer::TaskGroup& tasks() { return *tasks_; }
  checkpoint::FrozenCgroup& cgroup() { return *cgroup_; }  // with the whole tree in it
  const std::vector<tracer::QuiescentThread>& threads() const { return threads_; }
  const std::vector<std::unique_ptr<checkpoint::LiveImage>>& images() const { return images_; }
  const std::vector<StackNames>& stacks() const {
    return stacks_;
  }  // of the main threads; order of images()
  // The innermost function of the old program on the thread's stack; "" if there is none.
  std::string CallerOf(const tracer::QuiescentThread& thread);
  // How many descriptors the process has of its own.
  size_t descriptors(pid_t pid) const { return descriptors_.at(pid).size(); }
  const std::vector<std::string>& assumed() const { return quiescer_->assumed(); }
  const std::vector<std::string>& warnings() const { return warnings_; }  // of the checkpoint
  double quiescence_ms() const { return quiescence_ms_; }

 private:
  PausedServer(const Inspection& server, const Options& options)
      : server_(server),
        options_(options),
        undo_log_(*options.undo_log),
        known_files_(server.OldFiles()) {}

  Status PrepareQuiescer();
  Status PrepareCheckpoint();
  Status MakeWorkspaces();
  void RemoveLeftWorkspaces();
  Status BeginDump();
  Result<double> FinishDump();
  Status ForkTwins();
  Status PrepareToRun();
  Status RecordCgroup();
  Status TakeImages();
  Status Reattach();
  void TakeStacks(checkpoint::LiveImage& image);
  const FunctionNames& LearnFunctions(pid_t pid);
  std::string FunctionAt(pid_t pid, Addr instruction);

  // Members are destroyed in reverse order: the tasks are let go before the cgroup that they are in
  // is removed, and the CRIU that may hold them ends before both.
  const Inspection& server_;
  const Options& options_;
  checkpoint::UndoLog& undo_log_;
  cpu_set_t helpers_ = {};
  const std::vector<KnownFile> known_files_;
  std::map<pid_t, FunctionNames> functions_;  // by process
  std::unique_ptr<checkpoint::FrozenCgroup> cgroup_;
  std::optional<checkpoint::ImageDirectory> directory_;
  std::vector<std::unique_ptr<checkpoint::Twin>> twins_;
  std::optional<tracer::TaskGroup> tasks_;
  std::unique_ptr<tracer::Quiescer> quiescer_;
  std::unique_ptr<checkpoint::CriuDump> dump_;
  std::vector<pid_t> detached_;  // while CRIU has them
  Descriptors descriptors_;      // before anything was done to the tasks
  std::map<pid_t, std::shared_ptr<const tracer::Workspace>> workspaces_;
  bool breakpoints_work_ = false;
  bool paused_ = false;
  bool written_ = false;
  double quiescence_ms_ = 0;
  std::vector<std::string> warnings_;
  std::vector<tracer::QuiescentThread> threads_;
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images_;
  std::vector<StackNames> stacks_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_PAUSED_SERVER_H_
