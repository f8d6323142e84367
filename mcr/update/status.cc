#include "mcr/update/status.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "mcr/update/inspect.h"
#include "mcr/update/options.h"
#include "mcr/update/problems.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr size_t kShortBuildId = 8;

bool IsSameFile(const std::string& a, const std::string& b) {
  std::error_code failed;
  return std::filesystem::equivalent(a, b, failed);
}

// Follows the parents as long as they run the same program.
pid_t RootOf(const tracer::ProcFs& procfs, pid_t pid) {
  while (true) {
    const auto stat = procfs.ReadStat(pid);
    if (!stat || stat->parent == 0) return pid;
    if (!IsSameFile(procfs.Path(pid, "exe"), procfs.Path(stat->parent, "exe"))) return pid;
    pid = stat->parent;
  }
}

// "0::/system.slice/ssh.service" -> "ssh.service"; a session's scope says nothing of a server.
std::string UnitOf(const tracer::ProcFs& procfs, pid_t pid) {
  constexpr std::string_view kUnified = "0::";
  constexpr std::string_view kService = ".service";
  const auto text = procfs.ReadText(pid, "cgroup");
  if (!text) return "";
  const size_t line = text->rfind(kUnified);
  if (line == std::string::npos) return "";
  const std::string path = text->substr(line, text->find('\n', line) - line);
  const size_t end = path.find(kService);
  if (end == std::string::npos) return "";
  const size_t begin = path.rfind('/', end) + 1;
  return path.substr(begin, end + kService.size() - begin);
}

void AddModules(std::vector<OutdatedModule> from, std::vector<OutdatedModule>& to) {
  for (OutdatedModule& module : from) {
    const bool known = std::ranges::any_of(to, [&](const OutdatedModule& other) {
      return other.path == module.path && other.running_build_id == module.running_build_id;
    });
    if (!known) to.push_back(std::move(module));
  }
  std::ranges::stable_partition(to, &OutdatedModule::is_program);
}

// Why the server cannot be updated; nullopt if nothing that is known forbids it.
std::optional<std::string> Obstacle(const OutdatedServer& server,
                                    const std::vector<std::string>& debug_dirs) {
  Options options;
  options.debug_dirs = debug_dirs;
  const auto inspection = Inspect({.pid = server.pid}, options);
  if (!inspection) return inspection.error().Line();
  const auto& problems = inspection->differences.problems;
  if (problems.empty()) return std::nullopt;
  return SumUp(problems);
}

void Judge(const std::vector<std::string>& debug_dirs, OutdatedServer& server) {
  const auto obstacle = Obstacle(server, debug_dirs);
  server.can_update = !obstacle;
  server.verdict = obstacle.value_or(fmt::format("mcr update --pid {}", server.pid));
}

std::string Short(const std::string& build_id) {
  return build_id.empty() ? "without build-id" : "build " + build_id.substr(0, kShortBuildId);
}

std::string Reason(const OutdatedModule& module) {
  if (module.on_disk.empty()) return "deleted, and nothing took its place";
  return fmt::format("replaced: runs {}, on disk is {}", Short(module.running_build_id),
                     Short(module.disk_build_id));
}

std::string Title(const OutdatedServer& server) {
  return fmt::format("{}  PID {}, {} process{}{}{}\n", server.name, server.pid, server.processes,
                     server.processes == 1 ? "" : "es", server.unit.empty() ? "" : ", ",
                     server.unit);
}

Json ToJson(const OutdatedModule& module) {
  return {{"path", module.path},
          {"kind", module.is_program ? "program" : "library"},
          {"reason", module.on_disk.empty() ? "deleted" : "replaced"},
          {"running_build_id", module.running_build_id},
          {"disk_build_id", module.disk_build_id}};
}

}  // namespace

Result<HostStatus> FindOutdatedServers(const std::vector<std::string>& debug_dirs) {
  if (geteuid() != 0) {
    return Fail("cannot look at the files that other processes have mapped", "", "run mcr as root");
  }
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Processes());
  HostStatus status;
  std::map<pid_t, OutdatedServer> servers;  // by root
  for (pid_t pid : pids) {
    auto modules = FindOutdated(procfs, pid);
    if (!modules) continue;  // it ended meanwhile
    ++status.processes;
    if (modules->empty()) continue;
    const pid_t root = RootOf(procfs, pid);
    OutdatedServer& server = servers[root];
    server.pid = root;
    ++server.processes;
    AddModules(*std::move(modules), server.modules);
  }
  for (auto& [root, server] : servers) {
    const auto stat = procfs.ReadStat(root);
    if (!stat) continue;
    server.name = stat->name;
    server.unit = UnitOf(procfs, root);
    Judge(debug_dirs, server);
    status.outdated.push_back(std::move(server));
  }
  return status;
}

std::string ToText(const HostStatus& status) {
  std::string text;
  for (const OutdatedServer& server : status.outdated) {
    text += Title(server);
    for (const OutdatedModule& module : server.modules) {
      text += fmt::format("  {}  {}\n           {}\n", module.is_program ? "program" : "library",
                          module.path, Reason(module));
    }
    text += fmt::format("  {}  {}\n\n", server.can_update ? "update " : "restart", server.verdict);
  }
  if (status.outdated.empty()) {
    return fmt::format("No server executes code that is no longer on disk ({} processes).\n",
                       status.processes);
  }
  const auto possible = std::ranges::count(status.outdated, true, &OutdatedServer::can_update);
  return text + fmt::format(
                    "{} server{} execute{} code that is no longer on disk; mcr can update "
                    "{} of them ({} processes).\n",
                    status.outdated.size(), status.outdated.size() == 1 ? "" : "s",
                    status.outdated.size() == 1 ? "s" : "", possible, status.processes);
}

std::string ToJson(const HostStatus& status) {
  Json servers = Json::array();
  for (const OutdatedServer& server : status.outdated) {
    Json modules = Json::array();
    for (const OutdatedModule& module : server.modules) modules.push_back(ToJson(module));
    Json entry = {{"pid", server.pid},   {"name", server.name},
                  {"unit", server.unit}, {"processes", server.processes},
                  {"modules", modules},  {"can_update", server.can_update}};
    entry[server.can_update ? "command" : "reason"] = server.verdict;
    servers.push_back(std::move(entry));
  }
  const Json json = {{"schema", kSchema}, {"processes", status.processes}, {"outdated", servers}};
  return json.dump(2) + "\n";
}

}  // namespace mcr::update
