// Parsers of /proc's text formats (proc(5)): pure functions of the text.
#ifndef MCR_TRACER_SYS_PROCFS_PARSE_H_
#define MCR_TRACER_SYS_PROCFS_PARSE_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

// Of /proc/PID/status. Signal sets have bit N-1 for signal N.
struct TaskStatus {
  std::string name;
  char state = '?';  // R, S, D, T, t, Z, X
  pid_t tgid = 0;
  pid_t parent = 0;
  pid_t tracer = 0;                // 0: not traced
  std::array<uid_t, 4> uids = {};  // real, effective, saved, file system
  std::array<gid_t, 4> gids = {};
  std::vector<gid_t> groups;
  std::vector<pid_t> namespace_pids;  // from the reader's PID namespace to the innermost one
  mode_t umask = 0;
  unsigned seccomp = 0;                 // SECCOMP_MODE_*; 0: no filter applies
  uint64_t pending_signals = 0;         // of the thread
  uint64_t shared_pending_signals = 0;  // of the process
  uint64_t blocked_signals = 0;
  uint64_t ignored_signals = 0;
  uint64_t caught_signals = 0;
  uint64_t descriptor_slots = 0;  // every descriptor is below this
};

// Of /proc/PID/stat.
struct TaskStat {
  std::string name;
  char state = '?';
  pid_t parent = 0;
  pid_t session = 0;
  pid_t process_group = 0;
  uint64_t flags = 0;       // PF_* of the kernel
  uint64_t start_time = 0;  // clock ticks since boot
  Addr start_code, end_code, start_stack;
  Addr start_data, end_data, start_brk;
  Addr arg_start, arg_end, env_start, env_end;
};

// Of /proc/PID/syscall.
struct SystemCallState {
  bool running = false;  // on a CPU: nothing else is known
  long number = -1;      // -1: blocked, but not in a system call
  std::array<uint64_t, 6> arguments = {};
  Addr stack_pointer;
  Addr instruction;  // after the `syscall` instruction
};

struct ResourceLimit {
  int resource = 0;  // RLIMIT_*
  uint64_t soft = 0;
  uint64_t hard = 0;
};

Result<Mappings> ParseMaps(std::string_view text);
Result<TaskStatus> ParseStatus(std::string_view text);
Result<TaskStat> ParseStat(std::string_view text);
Result<SystemCallState> ParseSystemCall(std::string_view text);
Result<std::vector<ResourceLimit>> ParseLimits(std::string_view text);

// NUL-terminated strings one after the other; a last one without its NUL counts.
std::vector<std::string> SplitAtNuls(std::string_view text);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PROCFS_PARSE_H_
