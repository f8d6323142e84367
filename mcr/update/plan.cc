#include "mcr/update/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "checkpoint/live_image.h"
#include "checkpoint/process_image.h"
#include "mcr/update/inspect.h"
#include "mcr/update/kept_inputs.h"
#include "mcr/update/problems.h"
#include "mcr/update/rehearse.h"
#include "mcr/update/requirements.h"
#include "mcr/update/running_merge.h"
#include "mutator/merge/plan_bytes.h"

namespace mcr::update {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr size_t kMostNames = 10;  // in the text; the JSON has them all

void Append(const std::vector<std::string>& from, std::vector<std::string>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

Json Checks(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"ok", check.ok}, {"processes", check.checked}, {"detail", check.detail}});
  }
  return list;
}

std::string Names(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  const auto shown = std::vector(names.begin(), names.begin() + std::min(names.size(), kMostNames));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > shown.size()) text += fmt::format(" and {} more", names.size() - shown.size());
  return text;
}

std::vector<std::string> DescribeTypes(const mutator::Differences& differences) {
  std::vector<std::string> lines;
  for (const auto& change : differences.types) {
    lines.push_back(change.name + ": " + change.difference);
  }
  return lines;
}

void AddLines(const std::string& title, const std::vector<std::string>& lines, std::string& text) {
  if (lines.empty()) return;
  text += title + ":\n";
  for (const std::string& line : lines) text += "  " + line + "\n";
}

// As it is now, which may be different when the update comes.
std::vector<Check> CheckNow(const Requirements& requirements, const std::vector<pid_t>& pids) {
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images;
  std::vector<const checkpoint::ProcessImage*> processes;
  for (const pid_t pid : pids) {
    auto image = checkpoint::LiveImage::CreateRunning(pid);
    if (!image) continue;  // servers have processes that come and go
    processes.push_back(image->get());
    images.push_back(*std::move(image));
  }
  return requirements.Evaluate(processes);
}

UpdatePlan Describe(const Inspection& server) {
  UpdatePlan plan;
  plan.pid = server.pids.front();
  plan.old_program = server.executable;
  plan.new_program = server.new_program;
  plan.old_build_id = server.before->build_id();
  plan.new_build_id = server.after->build_id();
  plan.profile = server.profile ? server.profile->identity().name() : "";
  plan.functions = server.functions();
  plan.processes = server.pids.size();
  plan.differences = server.differences;
  plan.types = server.types;
  plan.changed_functions = server.changed_functions;
  plan.problems = server.differences.problems;
  return plan;
}

void Add(const mutator::MergePlan& merged, UpdatePlan& plan) {
  plan.pointers = merged.pointers;
  plan.variables = merged.variables;
  plan.conflicts = merged.conflicts;
  Append(merged.warnings, plan.warnings);
  Append(merged.problems, plan.problems);
}

Result<UpdatePlan> PlanOne(const Target& target, const Options& options) {
  MCR_ASSIGN(const Inspection server, Inspect(target, options));
  UpdatePlan plan = Describe(server);
  MCR_ASSIGN(const Requirements requirements, Requirements::Create(target.require, server));
  plan.requirements = CheckNow(requirements, server.pids);
  for (const Check& check : plan.requirements) {
    if (!check.ok) plan.problems.push_back("--require: " + check.detail);
  }
  if (!server.differences.problems.empty()) return plan;

  MCR_ASSIGN(const Rehearsals rehearsals, Rehearsals::Run(server));
  mutator::Merger merger = MakeMerger(server);
  MCR_ASSIGN(const mutator::MergePlan merged, MergeRunning(server, rehearsals, merger));
  plan.warnings = server.Warnings();
  Append(rehearsals.warnings(), plan.warnings);
  Add(merged, plan);
  return plan;
}

Json Describe(const UpdatePlan& plan) {
  const mutator::Differences& differences = plan.differences;
  return {
      {"pid", plan.pid},
      {"possible", plan.problems.empty()},
      {"old", {{"program", plan.old_program}, {"build_id", plan.old_build_id}}},
      {"new", {{"program", plan.new_program}, {"build_id", plan.new_build_id}}},
      {"profile", plan.profile},
      {"processes", plan.processes},
      {"types_changed", DescribeTypes(differences)},
      {"types", ToJson(plan.types)},
      {"variables_changed", differences.changed_variables},
      {"variables_new", differences.new_variables},
      {"variables_dropped", differences.dropped_variables},
      {"functions_new", differences.new_functions},
      {"functions_dropped", differences.dropped_functions},
      {"functions_changed", plan.changed_functions},
      {"plan_digest", plan.digest},
      {"pointers",
       {{"retargeted", plan.pointers.retargeted()},
        {"functions", plan.pointers.functions},
        {"variables", plan.pointers.variables},
        {"literals", plan.pointers.literals},
        {"layout", plan.pointers.layout},
        {"unproven", plan.pointers.unproven}}},
      {"variables",
       {{"kept", plan.variables.kept},
        {"bound", plan.variables.bound},
        {"initialised", plan.variables.initialised}}},
      {"requirements", Checks(plan.requirements)},
      {"conflicts", plan.conflicts},
      {"problems", plan.problems},
      {"warnings", plan.warnings},
  };
}

std::string DescribeInText(const UpdatePlan& plan) {
  const mutator::Differences& differences = plan.differences;
  std::string text =
      fmt::format("old program   {}  (build-id {})\n", plan.old_program, plan.old_build_id);
  text += fmt::format("new program   {}  (build-id {})\n", plan.new_program, plan.new_build_id);
  text += fmt::format("server        {} processes, {}\n", plan.processes,
                      plan.profile.empty() ? "no profile: idle calls of the moment are taken"
                                           : "profile \"" + plan.profile + "\"");
  text += fmt::format("functions     {} in the old version; {} changed; new: {}; dropped: {}\n",
                      plan.functions, plan.changed_functions.size(),
                      Names(differences.new_functions), Names(differences.dropped_functions));
  text += fmt::format("variables     {} kept, {} from the new version; new: {}; dropped: {}\n",
                      plan.variables.kept, plan.variables.initialised,
                      Names(differences.new_variables), Names(differences.dropped_variables));
  text += fmt::format(
      "pointers      {} to retarget: {} to functions, {} to variables, {} to literals, {} of the "
      "loader (stacks not counted)\n",
      plan.pointers.retargeted(), plan.pointers.functions, plan.pointers.variables,
      plan.pointers.literals, plan.pointers.layout);
  if (!plan.digest.empty()) text += fmt::format("plan          SHA-256 {}\n", plan.digest);
  for (const Check& check : plan.requirements) {
    if (check.ok) text += fmt::format("required      {}\n", check.detail);
  }
  if (!plan.types.empty()) text += "types that changed:\n";
  for (const ChangedType& type : plan.types) text += ToText(type);
  AddLines("conflicts, where the server's value is kept", plan.conflicts, text);
  AddLines("warnings", plan.warnings, text);
  AddLines("in the way", plan.problems, text);
  return text;
}

}  // namespace

Result<std::vector<UpdatePlan>> Plan(const Options& options) {
  std::vector<UpdatePlan> plans;
  for (const Target& target : options.servers) {
    MCR_ASSIGN(UpdatePlan plan, PlanOne(target, options));
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<std::vector<UpdatePlan>> PlanFromCheckpoint(const std::string& directory) {
  MCR_ASSIGN(const KeptServer server, ReadKept(directory));
  std::vector<mutator::ProcessPair> pairs;
  for (size_t i = 0; i < server.images.size(); ++i) {
    pairs.push_back(server.rehearsals.PairFor(*server.images[i], server.stacks[i]));
  }
  mutator::Merger merger = MakeMerger(server.inspection);
  MCR_ASSIGN(const mutator::MergePlan merged, merger.Merge(pairs));
  UpdatePlan plan = Describe(server.inspection);
  plan.digest = mutator::Digest(merged);
  Add(merged, plan);
  return std::vector{std::move(plan)};
}

bool IsPossible(const std::vector<UpdatePlan>& plans) { return Obstacle(plans).empty(); }

std::string Obstacle(const std::vector<UpdatePlan>& plans) {
  std::vector<std::string> problems;
  for (const UpdatePlan& plan : plans) Append(plan.problems, problems);
  return SumUp(problems);
}

// A single server has everything at the top.
std::string ToJson(const std::vector<UpdatePlan>& plans) {
  Json json = {{"schema", kSchema}};
  if (plans.size() == 1) json.update(Describe(plans.front()));
  json["possible"] = IsPossible(plans);
  if (plans.size() == 1) return json.dump(2) + "\n";
  json["components"] = Json::array();
  for (const UpdatePlan& plan : plans) json["components"].push_back(Describe(plan));
  return json.dump(2) + "\n";
}

std::string ToText(const std::vector<UpdatePlan>& plans) {
  std::string text;
  for (const UpdatePlan& plan : plans) {
    if (plans.size() > 1) text += fmt::format("PID {}:\n", plan.pid);
    text += DescribeInText(plan) + (plans.size() > 1 ? "\n" : "");
  }
  return text + (IsPossible(plans) ? "The update can run.\n" : "The update would be refused.\n");
}

}  // namespace mcr::update
