#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "mcr/cli/command.h"
#include "mcr/cli/run_plan.h"
#include "mcr/cli/update_options.h"
#include "mcr/update/plan.h"

namespace mcr::cli {
namespace {

struct PlanArguments {
  ServerArguments servers;
  update::Options options;
  std::string checkpoint;
  bool json = false;
};

int Show(const Result<std::vector<update::UpdatePlan>>& plans, bool json) {
  if (!plans) {
    PrintError("plan", plans.error().Line());
    return kRefused;
  }
  std::fputs((json ? update::ToJson(*plans) : update::ToText(*plans)).c_str(), stdout);
  if (update::IsPossible(*plans)) return 0;
  PrintError("plan", update::Obstacle(*plans));
  return kRefused;
}

int Run(const CLI::App& command, PlanArguments& arguments) {
  if (!arguments.checkpoint.empty()) {
    return Show(update::PlanFromCheckpoint(arguments.checkpoint), arguments.json);
  }
  auto servers = PairUp(command, arguments.servers);
  if (!servers) {
    PrintError("usage", servers.error().Line());
    return kUsage;
  }
  arguments.options.servers = *std::move(servers);
  return RunPlan(arguments.options, arguments.json);
}

}  // namespace

int RunPlan(const update::Options& options, bool json) { return Show(update::Plan(options), json); }

void AddPlan(CLI::App& app, int& status) {
  auto arguments = std::make_shared<PlanArguments>();
  CLI::App* command = app.add_subcommand(
      "plan", "Dry run without a pause: what an update would do, and what stands in its way");
  AddServerOptions(*command, arguments->servers, arguments->options);
  command
      ->add_option(
          "--checkpoint", arguments->checkpoint,
          "the plan of the update that has kept its checkpoint there, made again from that")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->excludes("--pid")
      ->excludes("--to");
  command->add_flag("--json", arguments->json, "for programs");
  command->callback([arguments, command, &status] { status = Run(*command, *arguments); });
}

}  // namespace mcr::cli
