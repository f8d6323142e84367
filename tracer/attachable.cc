#include "tracer/attachable.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "mcr/base/owned_fd.h"
#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

Status CheckNotOurOwn(const ProcFs& proc, pid_t pid) {
  pid_t ancestor = getpid();
  if (pid == ancestor) return Fail("that is mcr itself", Where(pid));
  while (ancestor > 1) {
    const Result<TaskStat> stat = proc.ReadStat(ancestor);
    if (!stat || stat->parent == 0) return {};
    ancestor = stat->parent;
    if (ancestor != pid) continue;
    return Fail("mcr was started by that process, which would have to be stopped", Where(pid),
                "start mcr from elsewhere");
  }
  return {};
}

Status CheckMachine(const ProcFs& proc, pid_t pid) {
  MCR_ASSIGN(const OwnedFd executable, proc.Open(pid, "exe", O_RDONLY));
  Elf64_Ehdr header;
  if (pread(executable.get(), &header, sizeof header, 0) < EI_NIDENT + 4 ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Fail("the executable is not an ELF file", Where(pid));
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
    return Fail("not a 64-bit x86 process", Where(pid));
  }
  return {};
}

}  // namespace

Status CheckAttachable(pid_t pid) {
  const ProcFs proc;
  if (pid <= 0 || !proc.Exists(pid)) {
    errno = ESRCH;
    return FailErrno("cannot attach", Where(pid));
  }
  MCR_ASSIGN(const TaskStatus status, proc.ReadStatus(pid));
  if (status.tgid != pid) {
    return Fail("that is a thread, not a process", Where(pid),
                "give its process, PID " + std::to_string(status.tgid));
  }
  MCR_ASSIGN(const bool kernel_thread, proc.IsKernelThread(pid));
  if (kernel_thread) return Fail("that is a kernel thread", Where(pid));
  if (status.state == 'Z' || status.state == 'X') {
    return Fail("the process or its main thread has ended", Where(pid));
  }
  MCR_TRY(CheckNotOurOwn(proc, pid));
  if (status.tracer != 0) {
    return Fail("already traced by PID " + std::to_string(status.tracer), Where(pid),
                "end the debugger or tracer first");
  }
  return CheckMachine(proc, pid);
}

}  // namespace mcr::tracer
