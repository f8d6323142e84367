#include "mcr/update/report.h"

#include <fstream>
#include <nlohmann/json.hpp>

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

Json Processes(const Report& report) {
  Json processes = Json::array();
  for (const ProcessReport& process : report.processes) {
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

Json Pauses(const Report& report) {
  Json pauses = Json::object();
  for (const ProcessReport& process : report.processes) {
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

Json Memory(const Report& report) {
  Json processes = Json::array();
  for (const ProcessMemory& process : report.memory) {
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
          {"pinned", 0},  // nothing moves yet, so that nothing needs to be held in place
          {"mangled", counts.mangled},
          {"shifted", counts.shifted},
          {"functions", counts.functions},
          {"instructions", counts.instructions},
          {"variables", counts.variables},
          {"literals", counts.literals},
          {"layout", counts.layout}};
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
    case Outcome::kLost:
      return 5;
  }
  return 5;
}

std::string ToJson(const Report& report) {
  Json json = {
      {"schema", kSchema},
      {"outcome", Name(report.outcome)},
      {"stage", report.stage},
      {"reason", report.reason},
      {"old", {{"program", report.old_program}, {"build_id", report.old_build_id}}},
      {"new", {{"program", report.new_program}, {"build_id", report.new_build_id}}},
      {"began_monotonic_ns", report.began_ns},
      {"stages", Stages(report)},
      {"pause_began_ms", report.pause_began_ms},
      {"pause_ms", Pauses(report)},
      {"pause_ms_total", report.pause_ms},
      {"quiescence_ms", report.quiescence_ms},
      {"criu_frozen_ms", report.criu_frozen_ms},
      {"plan_cpu_ms",
       {{"outside_pause", report.plan_cpu_outside_ms}, {"in_pause", report.plan_cpu_in_pause_ms}}},
      {"processes", Processes(report)},
      {"pointers", Pointers(report.pointers)},
      {"objects",
       {{"kept", report.variables.kept},
        {"bound", report.variables.bound},
        {"typed", report.objects.typed},
        {"transformed", report.objects.transformed},
        {"moved", report.objects.moved},
        {"heap_initialised", report.objects.initialised},
        {"initialised", report.variables.initialised},
        {"dropped", report.variables.dropped}}},
      {"types", ToJson(report.types)},
      {"memory", Memory(report)},
      {"validation", Validation(report.validation)},
      {"conflicts", report.conflicts},
      {"problems", report.problems},
      {"warnings", report.warnings},
  };
  return json.dump(2) + "\n";
}

Status WriteReport(const Report& report, const std::string& path) {
  std::ofstream file(path);
  file << ToJson(report);
  file.close();
  if (!file) return Fail("cannot write the report", path);
  return {};
}

}  // namespace mcr::update
