#include "mcr/update/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>

#include "mcr/update/criu_program.h"
#include "tracer/sys/host_file.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/run.h"

namespace mcr::update {
namespace {

HostRequirement Root() {
  return {"root", geteuid() == 0, false, geteuid() == 0 ? "" : "run mcr as root"};
}

HostRequirement Machine() {
  utsname name = {};
  uname(&name);
  const bool is_known = std::strcmp(name.machine, "x86_64") == 0;
  return {"x86-64", is_known, false, is_known ? name.release : "this machine is not supported"};
}

HostRequirement FileSystem(const std::string& name, const std::string& purpose) {
  const bool met =
      tracer::ReadHostFile("filesystems").find("\t" + name + "\n") != std::string::npos;
  return {name, met, false, met ? purpose : "load the kernel module: needed " + purpose};
}

HostRequirement CgroupFreezer() {
  // mountinfo: "... - cgroup2 cgroup2 rw"
  const bool met = tracer::ReadHostFile("self/mountinfo").find(" - cgroup2 ") != std::string::npos;
  return {"cgroup version 2", met, false,
          met ? "to hold the server between two tracers" : "mount cgroup2 on /sys/fs/cgroup"};
}

HostRequirement Namespaces() {
  const tracer::ProcFs procfs;
  const bool met = procfs.ReadLink(getpid(), "ns/pid") && procfs.ReadLink(getpid(), "ns/mnt") &&
                   procfs.ReadLink(getpid(), "ns/net");
  return {"namespaces", met, false, met ? "for rehearsals" : "needed for rehearsals"};
}

HostRequirement UserNamespaces() {
  const std::string most = tracer::ReadHostFile("sys/user/max_user_namespaces");
  const bool met = !most.empty() && most != "0\n";
  return {"user namespaces", met, true,
          met ? "to set /proc/PID/exe of unprivileged processes"
              : "/proc/PID/exe of unprivileged processes will go on showing the old file"};
}

HostRequirement PtraceScope() {
  const std::string scope = tracer::ReadHostFile("sys/kernel/yama/ptrace_scope");
  const bool met = scope.empty() || scope[0] != '3';
  return {"ptrace", met, false, met ? "" : "kernel.yama.ptrace_scope=3 forbids it until reboot"};
}

HostRequirement Criu(const std::string& wanted) {
  const auto criu = FindCriu(wanted);
  if (!criu) return {"criu", false, false, criu.error().Line()};
  const auto checked = tracer::RunQuietly({*criu, "check"});
  const bool met = checked && *checked == 0;
  return {"criu", met, false, met ? *criu : *criu + " check fails; run third_party/criu/build"};
}

}  // namespace

std::vector<HostRequirement> CheckHost(const std::string& criu) {
  return {Root(),
          Machine(),
          PtraceScope(),
          Namespaces(),
          UserNamespaces(),
          FileSystem("overlay", "to keep what rehearsals write"),
          FileSystem("tmpfs", "to keep checkpoints private"),
          CgroupFreezer(),
          Criu(criu)};
}

}  // namespace mcr::update
