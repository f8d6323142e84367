#include "mcr/update/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace mcr::update {
namespace {

constexpr size_t kShortBuildId = 12;
constexpr size_t kMostRoles = 6;

std::string_view Verdict(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUpdated:
      return "Updated: the server runs the new version.";
    case Outcome::kRefused:
      return "Refused: the server was never paused and runs the old version.";
    case Outcome::kRolledBack:
      return "Rolled back: the server runs the old version as before.";
    case Outcome::kLost:
      return "Lost: the server does not run any more as it did.";
  }
  return "";
}

std::string Line(std::string_view name, const std::string& text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

std::string Version(const std::string& program, const std::string& build_id) {
  return fmt::format("{}  build {}", program, build_id.substr(0, kShortBuildId));
}

std::string Total(const Report& report) {
  double end = report.pause_began_ms + report.pause_ms;
  for (const StageTime& stage : report.stages) {
    end = std::max(end, stage.began_ms + stage.milliseconds);
  }
  return fmt::format("{:.1f} s", end / 1000);
}

// "master, 2 x worker", in the order of the processes.
std::string Roles(const std::vector<ProcessReport>& processes) {
  std::vector<std::pair<std::string, int>> roles;
  for (const ProcessReport& process : processes) {
    const auto known = std::ranges::find(roles, process.role, &std::pair<std::string, int>::first);
    if (known != roles.end()) {
      ++known->second;
    } else {
      roles.emplace_back(process.role, 1);
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

std::string Processes(const Report& report) {
  int threads = 0, descriptors = 0;
  for (const ProcessReport& process : report.processes) {
    threads += process.threads;
    descriptors += process.descriptors;
  }
  return fmt::format("{}{}; {} threads, {} descriptors", report.processes.size(),
                     Roles(report.processes), threads, descriptors);
}

std::string Memory(const Report& report) {
  uint64_t written = 0, mapped = 0;
  for (const ProcessMemory& process : report.memory) {
    for (const MemoryRegion& region : process.regions) {
      written += region.written;
      if (region.fate == Fate::kMapped) mapped += region.range.size();
    }
  }
  constexpr uint64_t kKibibyte = 1024;
  return fmt::format("{} KiB mapped, {} KiB written, the rest not touched", mapped / kKibibyte,
                     written / kKibibyte);
}

}  // namespace

std::string Summary(const Report& report) {
  std::string text = std::string(Verdict(report.outcome)) + "\n";
  if (report.old_program.empty()) return text;
  text += Line("old", Version(report.old_program, report.old_build_id));
  text += Line("new", Version(report.new_program, report.new_build_id));
  const std::string took = Total(report);
  text += Line("time", report.pause_ms > 0
                           ? fmt::format("paused for {:.1f} ms of {}", report.pause_ms, took)
                           : "not paused in " + took);
  if (!report.processes.empty()) text += Line("processes", Processes(report));
  if (report.outcome != Outcome::kUpdated) return text;
  text += Line("pointers", fmt::format("{} retargeted", report.pointers.retargeted()));
  text += Line("variables", fmt::format("{} kept, {} from the new version, {} changed by both",
                                        report.variables.kept, report.variables.initialised,
                                        report.conflicts.size()));
  text += Line("types", report.types.empty() ? "none changed"
                                             : fmt::format("{} changed", report.types.size()));
  return text + Line("memory", Memory(report));
}

}  // namespace mcr::update
