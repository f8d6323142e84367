// What an update did, for people and for programs (mcr/docs/report.md describes the JSON).
#ifndef MCR_UPDATE_REPORT_H_
#define MCR_UPDATE_REPORT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/changed_types.h"
#include "mcr/update/memory_map.h"
#include "mcr/update/stage.h"
#include "mcr/update/validation.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::update {

enum class Outcome { kUpdated, kRefused, kRolledBack, kBroughtBack, kLost };

// As the command line's contract has it: 0, 3, 4, 5, 5.
int ExitStatus(Outcome outcome);

struct StageTime {
  Stage stage;
  double began_ms = 0;  // since the update began
  double milliseconds = 0;
  bool in_pause = false;
};

// Where a thread was when it was stopped.
struct ThreadReport {
  pid_t tid = 0;
  std::string system_call;
  std::string function;  // of the program, that called it; "" if it is not known
};

struct ProcessReport {
  pid_t pid = 0;
  std::string role;
  double pause_ms = 0;
  int threads = 0;
  int descriptors = 0;
  std::vector<ThreadReport> quiescent_points;
};

// Of a new version that was watched after its commit.
struct ProbationReport {
  double watched_ms = 0;
  std::string signal;  // that was about to end one of its processes; "" if there was none
  pid_t pid = 0;       // which
  bool brought_back = false;
  // Then: connections that go on as they were at the checkpoint; those that were there at the end
  // and are reset; processes that were made in between and are gone.
  size_t connections_kept = 0, connections_lost = 0, processes_lost = 0;
};

// What happened to one of the servers that were updated together.
struct ServerReport {
  pid_t pid = 0;                         // of its main process
  std::string old_program, new_program;  // paths; "" until the server is inspected
  std::string old_build_id, new_build_id;
  double quiescence_ms = 0;   // until all its tasks were at their quiescent points
  double criu_frozen_ms = 0;  // as CRIU counts it
  // Processor time of searching, tracing and merging, by all threads: ahead of the pause and in it.
  double plan_cpu_outside_ms = 0, plan_cpu_in_pause_ms = 0;
  std::vector<ProcessReport> processes;
  mutator::PointerCounts pointers;
  mutator::VariableCounts variables;
  mutator::ObjectCounts objects;
  std::string plan_digest;  // SHA-256 of the merge's plan; "" if there was none
  std::vector<ChangedType> types;
  std::vector<ProcessMemory> memory;  // only after a success
  std::vector<Check> validation;
  std::optional<ProbationReport> probation;
  std::vector<std::string> conflicts;
  std::vector<std::string> problems;
  bool problems_may_pass = false;  // with nothing done but waiting (MergePlan)
  std::vector<std::string> warnings;
};

struct Report {
  Outcome outcome = Outcome::kRefused;
  std::string stage;      // where it ended, if it did not succeed
  std::string reason;     // one line; empty after a success
  uint64_t began_ns = 0;  // CLOCK_MONOTONIC
  std::vector<StageTime> stages;
  double pause_began_ms = 0;          // since the update began; only if there was a pause
  double pause_ms = 0;                // all tasks stopped until all resumed
  std::vector<ServerReport> servers;  // as many as were asked for

  int attempts = 1;  // this is what came of the last one

  std::vector<std::string> warnings() const;  // of all servers
  // Whether another attempt may go better though nobody does anything about it.
  bool MayPass() const;
};

std::string ToJson(const Report& report);
Status WriteReport(const Report& report, const std::string& path);

}  // namespace mcr::update

#endif  // MCR_UPDATE_REPORT_H_
