#include "mcr/update/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "mcr/base/owned_fd.h"

namespace mcr::update {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

const char* Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUpdated:
      return "updated";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kRolledBack:
      return "rolled_back";
    case Outcome::kBroughtBack:
      return "brought_back";
    case Outcome::kLost:
      return "lost";
  }
  return "";
}

Json Stages(const Report& report) {
  Json stages = Json::array();
  for (const StageTime& time : report.stages) {
    stages.push_back({{"name", std::string(Name(time.stage))},
                      {"began_ms", time.began_ms},
                      {"ms", time.milliseconds},
                      {"in_pause", time.in_pause}});
  }
  return stages;
}

// The lists of all servers as one.
template <class T>
std::vector<T> All(const Report& report, std::vector<T> ServerReport::* list) {
  std::vector<T> all;
  for (const ServerReport& server : report.servers) {
    all.insert(all.end(), (server.*list).begin(), (server.*list).end());
  }
  return all;
}

Json Processes(const std::vector<ProcessReport>& all) {
  Json processes = Json::array();
  for (const ProcessReport& process : all) {
    Json points = Json::array();
    for (const ThreadReport& thread : process.quiescent_points) {
      points.push_back({{"tid", thread.tid},
                        {"system_call", thread.system_call},
                        {"function", thread.function}});
    }
    processes.push_back({{"pid", process.pid},
                         {"role", process.role},
                         {"threads", process.threads},
                         {"descriptors", process.descriptors},
                         {"pause_ms", process.pause_ms},
                         {"quiescent_points", points}});
  }
  return processes;
}

Json Pauses(const std::vector<ProcessReport>& processes) {
  Json pauses = Json::object();
  for (const ProcessReport& process : processes) {
    pauses[std::to_string(process.pid)] = process.pause_ms;
  }
  return pauses;
}

const char* Name(Fate fate) {
  switch (fate) {
    case Fate::kStayed:
      return "stayed";
    case Fate::kWritten:
      return "written";
    case Fate::kMapped:
      return "mapped";
    case Fate::kUnmapped:
      return "unmapped";
  }
  return "";
}

Json Memory(const std::vector<ProcessMemory>& memories) {
  Json processes = Json::array();
  for (const ProcessMemory& process : memories) {
    Json regions = Json::array();
    for (const MemoryRegion& region : process.regions) {
      regions.push_back({{"begin", Hex(region.range.begin())},
                         {"size", region.range.size()},
                         {"name", region.name},
                         {"fate", Name(region.fate)},
                         {"written", region.written}});
    }
    processes.push_back({{"pid", process.pid}, {"regions", regions}});
  }
  return processes;
}

Json Pointers(const mutator::PointerCounts& counts) {
  return {{"retargeted", counts.retargeted()},
          {"precise", counts.precise},
          {"likely", counts.likely},
          {"pinned", counts.pinned},
          {"moved", counts.moved},
          {"mangled", counts.mangled},
          {"shifted", counts.shifted},
          {"undecided", counts.undecided},
          {"unproven", counts.unproven},
          {"functions", counts.functions},
          {"instructions", counts.instructions},
          {"variables", counts.variables},
          {"literals", counts.literals},
          {"layout", counts.layout}};
}

Json Objects(const ServerReport& server) {
  return {{"kept", server.variables.kept},       {"bound", server.variables.bound},
          {"typed", server.objects.typed},       {"transformed", server.objects.transformed},
          {"moved", server.objects.moved},       {"initialised", server.variables.initialised},
          {"dropped", server.variables.dropped}, {"heap_initialised", server.objects.initialised},
          {"brought", server.objects.brought}};
}

Json Program(const std::string& path, const std::string& build_id) {
  return {{"program", path}, {"build_id", build_id}};
}

Json Pids(const std::vector<ProcessReport>& processes) {
  Json pids = Json::array();
  for (const ProcessReport& process : processes) pids.push_back(process.pid);
  return pids;
}

Json Probation(const std::optional<ProbationReport>& probation) {
  if (!probation) return nullptr;
  return {{"watched_ms", probation->watched_ms},
          {"signal", probation->signal},
          {"pid", probation->pid},
          {"brought_back", probation->brought_back},
          {"connections_kept", probation->connections_kept},
          {"connections_lost", probation->connections_lost},
          {"processes_lost", probation->processes_lost}};
}

// The numbers of `from`, added to those of the same names.
void Add(const Json& from, Json& to) {
  for (const auto& [name, number] : from.items()) {
    to[name] = to.value(name, uint64_t{0}) + number.get<uint64_t>();
  }
}

// What is not in the lists of all servers.
Json Servers(const Report& report) {
  Json servers = Json::array();
  for (const ServerReport& server : report.servers) {
    servers.push_back({{"pid", server.pid},
                       {"old", Program(server.old_program, server.old_build_id)},
                       {"new", Program(server.new_program, server.new_build_id)},
                       {"quiescence_ms", server.quiescence_ms},
                       {"criu_frozen_ms", server.criu_frozen_ms},
                       {"processes", Pids(server.processes)},
                       {"plan_digest", server.plan_digest},
                       {"pointers", Pointers(server.pointers)},
                       {"objects", Objects(server)},
                       {"probation", Probation(server.probation)},
                       {"problems", server.problems}});
  }
  return servers;
}

Json Validation(const std::vector<Check>& checks) {
  Json validation = Json::array();
  for (const Check& check : checks) {
    validation.push_back({{"name", check.name},
                          {"ok", check.ok},
                          {"checked", check.checked},
                          {"detail", check.detail}});
  }
  return validation;
}

}  // namespace

int ExitStatus(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUpdated:
      return 0;
    case Outcome::kRefused:
      return 3;
    case Outcome::kRolledBack:
      return 4;
    case Outcome::kBroughtBack:
    case Outcome::kLost:
      return 5;
  }
  return 5;
}

std::vector<std::string> Report::warnings() const { return All(*this, &ServerReport::warnings); }

bool Report::MayPass() const {
  const bool undone = outcome == Outcome::kRefused || outcome == Outcome::kRolledBack;
  return undone && std::ranges::any_of(servers, &ServerReport::problems_may_pass);
}

std::string ToJson(const Report& report) {
  const ServerReport none;
  const ServerReport& first = report.servers.empty() ? none : report.servers.front();
  Json pointers = Json::object(), objects = Json::object();
  double quiescence_ms = 0, criu_frozen_ms = 0, plan_cpu_outside_ms = 0, plan_cpu_in_pause_ms = 0;
  for (const ServerReport& server : report.servers) {
    Add(Pointers(server.pointers), pointers);
    Add(Objects(server), objects);
    // One after the other.
    quiescence_ms += server.quiescence_ms;
    criu_frozen_ms += server.criu_frozen_ms;
    plan_cpu_outside_ms += server.plan_cpu_outside_ms;
    plan_cpu_in_pause_ms += server.plan_cpu_in_pause_ms;
  }
  const auto processes = All(report, &ServerReport::processes);
  const Json json = {
      {"schema", kSchema},
      {"outcome", Name(report.outcome)},
      {"stage", report.stage},
      {"reason", report.reason},
      {"attempts", report.attempts},
      {"old", Program(first.old_program, first.old_build_id)},
      {"new", Program(first.new_program, first.new_build_id)},
      {"began_monotonic_ns", report.began_ns},
      {"stages", Stages(report)},
      {"pause_began_ms", report.pause_began_ms},
      {"pause_ms", Pauses(processes)},
      {"pause_ms_total", report.pause_ms},
      {"quiescence_ms", quiescence_ms},
      {"criu_frozen_ms", criu_frozen_ms},
      {"plan_cpu_ms", {{"outside_pause", plan_cpu_outside_ms}, {"in_pause", plan_cpu_in_pause_ms}}},
      {"processes", Processes(processes)},
      {"plan_digest", first.plan_digest},
      {"pointers", pointers},
      {"objects", objects},
      {"types", ToJson(All(report, &ServerReport::types))},
      {"memory", Memory(All(report, &ServerReport::memory))},
      {"validation", Validation(All(report, &ServerReport::validation))},
      {"conflicts", All(report, &ServerReport::conflicts)},
      {"problems", All(report, &ServerReport::problems)},
      {"warnings", report.warnings()},
      {"components", Servers(report)},
  };
  return json.dump(2) + "\n";
}

// For root alone: it says what lies where in the server's memory.
Status WriteReport(const Report& report, const std::string& path) {
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return FailErrno("cannot write the report", path);
  const std::string text = ToJson(report);
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(file.get(), text.data() + at, text.size() - at);
    if (written < 0) return FailErrno("cannot write the report", path);
    at += static_cast<size_t>(written);
  }
  return {};
}

}  // namespace mcr::update
