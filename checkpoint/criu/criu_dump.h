// One dump of a server's process tree by CRIU (`criu swrk`, https://criu.org/RPC), in the steps of
// an update:
//
//   Start    CRIU starts, checks the kernel and reads the request; then it waits. The server
//   serves. (the tree is quiesced, its cgroup frozen, ptrace detached) Begin    CRIU seizes the
//   tasks, thaws the cgroup (they are in its ptrace stops now), and dumps. Memory can be read
//            meanwhile by process_vm_readv, but the tasks cannot be attached.
//   Finish   waits until the images are written, the cgroup frozen again and the tasks let go into
//   it.
//
// The frozen cgroup is what keeps the tasks stopped between two tracers: CRIU's --freeze-cgroup
// leaves a cgroup that it found frozen as it was (criu/seize.c: freeze_processes,
// freezer_restore_state).
#ifndef MCR_CHECKPOINT_CRIU_CRIU_DUMP_H_
#define MCR_CHECKPOINT_CRIU_CRIU_DUMP_H_

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "checkpoint/criu/image_directory.h"
#include "checkpoint/criu/rpc_socket.h"
#include "checkpoint/criu/stats.pb.h"
#include "mcr/base/result.h"
#include "tracer/sys/child.h"

namespace mcr::checkpoint {

struct CriuDumpOptions {
  std::string criu;           // the binary
  pid_t root = 0;             // of the tree
  std::string freeze_cgroup;  // directory of the cgroup that holds exactly the tree
  // Where CRIU is to run, if its caller works meanwhile: tracer, parasite and caller in each
  // other's way cost as much as the dump itself.
  std::optional<cpu_set_t> processors;
  std::chrono::milliseconds start_timeout{10000};
  std::chrono::milliseconds dump_timeout{60000};
};

class CriuDump {
 public:
  // `directory` outlives the dump.
  static Result<std::unique_ptr<CriuDump>> Start(const CriuDumpOptions& options,
                                                 const ImageDirectory& directory);

  CriuDump(const CriuDump&) = delete;
  CriuDump& operator=(const CriuDump&) = delete;
  // Before Begin: CRIU is ended, the server was not touched. After Begin without Finish: waits for
  // CRIU to put the tasks back, since killing it halfway would leave its code in them.
  ~CriuDump();

  Status Begin();
  // The tasks are in the frozen cgroup and nobody's tracees, whether it succeeds or not. The error
  // holds the last line of CRIU's log.
  Result<criu::DumpStats> Finish();

 private:
  CriuDump(const CriuDumpOptions& options, const ImageDirectory& directory, RpcSocket socket,
           tracer::Child child);

  Status Request();
  Status AwaitNotification(const std::string& script, std::chrono::milliseconds timeout);
  Status Acknowledge();
  Result<criu::DumpStats> AwaitDump();
  Status AwaitEnd();
  tl::unexpected<Error> Explain(Error error) const;

  CriuDumpOptions options_;
  const ImageDirectory& directory_;
  RpcSocket socket_;
  tracer::Child child_;
  bool begun_ = false;
  size_t log_begin_ = 0;  // where the log of the dump itself begins
  // CRIU waits for an answer to each of its notifications: a thread of our own gives them, so that
  // the caller is free between Begin and Finish.
  std::future<Result<criu::DumpStats>> ending_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_CRIU_DUMP_H_
