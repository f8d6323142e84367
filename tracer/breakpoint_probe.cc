#include "tracer/breakpoint_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "tracer/sys/child.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

constexpr std::chrono::milliseconds kTimeout{1000};

__attribute__((noinline)) void Landmark() { asm volatile(""); }

// What the child does: passes the landmark once it has been told to.
[[noreturn]] void Pass(int gate) {
  char byte;
  if (read(gate, &byte, 1) == 1) Landmark();
  _exit(0);
}

bool StopsAtLandmark(pid_t pid, int gate) {
  auto group = TaskGroup::Attach(pid);
  if (!group || !group->InterruptAll(kTimeout) || group->processes().empty()) return false;
  Task& task = group->processes().front().main();
  if (!task.SetBreakpoint(Addr(reinterpret_cast<uint64_t>(&Landmark)))) return false;
  if (!task.Continue() || write(gate, "", 1) != 1) return false;
  const auto stopped = group->WaitAny(kTimeout);
  return stopped && *stopped != nullptr && task.stop_reason() == StopReason::kBreakpoint;
}

}  // namespace

bool BreakpointsWork() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const OwnedFd inside(ends[0]), outside(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) {
    close(outside.get());
    Pass(inside.get());
  }
  const auto child = Child::Own(pid);  // ends it
  return child && StopsAtLandmark(pid, outside.get());
}

}  // namespace mcr::tracer
