#include "mcr/update/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "mcr/update/criu_program.h"
#include "tracer/sys/run.h"

namespace mcr::update {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

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
  const bool met = ReadAll("/proc/filesystems").find("\t" + name + "\n") != std::string::npos;
  return {name, met, false, met ? purpose : "load the kernel module: needed " + purpose};
}

HostRequirement CgroupFreezer() {
  // mountinfo: "... - cgroup2 cgroup2 rw"
  const bool met = ReadAll("/proc/self/mountinfo").find(" - cgroup2 ") != std::string::npos;
  return {"cgroup version 2", met, false,
          met ? "to hold the server between two tracers" : "mount cgroup2 on /sys/fs/cgroup"};
}

HostRequirement Namespaces() {
  const bool met = access("/proc/self/ns/pid", F_OK) == 0 && access("/proc/self/ns/mnt", F_OK) == 0 &&
                   access("/proc/self/ns/net", F_OK) == 0;
  return {"namespaces", met, false, met ? "for rehearsals" : "needed for rehearsals"};
}

HostRequirement UserNamespaces() {
  const std::string most = ReadAll("/proc/sys/user/max_user_namespaces");
  const bool met = !most.empty() && most != "0\n";
  return {"user namespaces", met, true,
          met ? "to set /proc/PID/exe of unprivileged processes"
              : "/proc/PID/exe of unprivileged processes will go on showing the old file"};
}

HostRequirement PtraceScope() {
  const std::string scope = ReadAll("/proc/sys/kernel/yama/ptrace_scope");
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
