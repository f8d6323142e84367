#include "mcr/update/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcr::update {
namespace {

constexpr size_t kShortBuildId = 12;
constexpr size_t kMostRoles = 6;
constexpr size_t kMostServers = 3;  // ten lines in all

std::string_view Verdict(Outcome outcome, bool several) {
  switch (outcome) {
    case Outcome::kUpdated:
      return several ? "Updated: the servers run the new versions."
                     : "Updated: the server runs the new version.";
    case Outcome::kRefused:
      return several ? "Refused: no server was ever paused, and all run the old versions."
                     : "Refused: the server was never paused and runs the old version.";
    case Outcome::kRolledBack:
      return several ? "Rolled back: all servers run the old versions as before."
                     : "Rolled back: the server runs the old version as before.";
    case Outcome::kBroughtBack:
      return "Brought back: the server runs the old version, as it was when it was updated.";
    case Outcome::kLost:
      return several ? "Lost: a server does not run any more as it did."
                     : "Lost: the server does not run any more as it did.";
  }
  return "";
}

std::string Line(std::string_view name, const std::string& text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

std::string Short(const std::string& build_id) { return build_id.substr(0, kShortBuildId); }

// What ran and what was to run.
std::string Programs(const std::vector<ServerReport>& servers) {
  if (servers.size() == 1) {
    const ServerReport& server = servers.front();
    return Line("old",
                fmt::format("{}  build {}", server.old_program, Short(server.old_build_id))) +
           Line("new", fmt::format("{}  build {}", server.new_program, Short(server.new_build_id)));
  }
  std::string text;
  const size_t shown = servers.size() > kMostServers ? kMostServers - 1 : servers.size();
  for (const ServerReport& server : servers | std::views::take(shown)) {
    text += Line(fmt::format("PID {}", server.pid),
                 server.new_program.empty()
                     ? "not looked at"
                     : fmt::format("{}  build {} to {}", server.new_program,
                                   Short(server.old_build_id), Short(server.new_build_id)));
  }
  if (shown == servers.size()) return text;
  return text + Line("", fmt::format("and {} more", servers.size() - shown));
}

std::string Total(const Report& report) {
  double end = report.pause_began_ms + report.pause_ms;
  for (const StageTime& stage : report.stages) {
    end = std::max(end, stage.began_ms + stage.milliseconds);
  }
  return fmt::format("{:.1f} s", end / 1000);
}

// "master, 2 x worker", in the order of the processes.
std::string Roles(const std::vector<ServerReport>& servers) {
  std::vector<std::pair<std::string, int>> roles;
  for (const ServerReport& server : servers) {
    for (const ProcessReport& process : server.processes) {
      const auto known =
          std::ranges::find(roles, process.role, &std::pair<std::string, int>::first);
      if (known != roles.end()) {
        ++known->second;
      } else {
        roles.emplace_back(process.role, 1);
      }
    }
  }
  std::vector<std::string> names;
  for (const auto& [role, count] : roles) {
    if (role.empty()) continue;
    names.push_back(count == 1 ? role : fmt::format("{} x {}", count, role));
  }
  if (names.size() > kMostRoles) names.resize(kMostRoles);
  return names.empty() ? "" : fmt::format(": {}", fmt::join(names, ", "));
}

// Of all servers.
struct Totals {
  size_t processes = 0, conflicts = 0, types = 0;
  int threads = 0, descriptors = 0;
  uint64_t retargeted = 0, kept = 0, initialised = 0;
  uint64_t written = 0, mapped = 0;  // bytes
};

void Add(const ServerReport& server, Totals& totals) {
  totals.processes += server.processes.size();
  totals.conflicts += server.conflicts.size();
  totals.types += server.types.size();
  totals.retargeted += server.pointers.retargeted();
  totals.kept += server.variables.kept;
  totals.initialised += server.variables.initialised;
  for (const ProcessReport& process : server.processes) {
    totals.threads += process.threads;
    totals.descriptors += process.descriptors;
  }
  for (const ProcessMemory& process : server.memory) {
    for (const MemoryRegion& region : process.regions) {
      totals.written += region.written;
      if (region.fate == Fate::kMapped) totals.mapped += region.range.size();
    }
  }
}

}  // namespace

std::string Summary(const Report& report) {
  const std::vector<ServerReport>& servers = report.servers;
  std::string text = std::string(Verdict(report.outcome, servers.size() > 1)) + "\n";
  if (servers.empty() || servers.front().old_program.empty()) return text;
  Totals totals;
  for (const ServerReport& server : servers) Add(server, totals);
  text += Programs(servers);
  const std::string took = Total(report);
  text += Line("time", report.pause_ms > 0
                           ? fmt::format("paused for {:.1f} ms of {}", report.pause_ms, took)
                           : "not paused in " + took);
  if (totals.processes > 0) {
    text += Line("processes", fmt::format("{}{}; {} threads, {} descriptors", totals.processes,
                                          Roles(servers), totals.threads, totals.descriptors));
  }
  if (report.outcome != Outcome::kUpdated) return text;
  constexpr uint64_t kKibibyte = 1024;
  text += Line("pointers", fmt::format("{} retargeted", totals.retargeted));
  text += Line("variables", fmt::format("{} kept, {} from the new version, {} changed by both",
                                        totals.kept, totals.initialised, totals.conflicts));
  text +=
      Line("types", totals.types == 0 ? "none changed" : fmt::format("{} changed", totals.types));
  return text + Line("memory", fmt::format("{} KiB mapped, {} KiB written, the rest not touched",
                                           totals.mapped / kKibibyte, totals.written / kKibibyte));
}

}  // namespace mcr::update
