#include <cstdio>
#include <memory>
#include <string>

#include "mcr/cli/command.h"
#include "mcr/cli/update_options.h"
#include "mcr/update/plan.h"

namespace mcr::cli {
namespace {

struct PlanArguments {
  update::Options options;
  std::string checkpoint;
  bool json = false;
};

int Run(const PlanArguments& arguments) {
  if (arguments.checkpoint.empty() && !HasServer(arguments.options)) return kUsage;
  const auto plan = arguments.checkpoint.empty() ? update::Plan(arguments.options)
                                                 : update::PlanFromCheckpoint(arguments.checkpoint);
  if (!plan) {
    PrintError("plan", plan.error().Line());
    return kRefused;
  }
  const std::string text = arguments.json ? update::ToJson(*plan) : update::ToText(*plan);
  std::fputs(text.c_str(), stdout);
  return plan->problems.empty() ? 0 : kRefused;
}

}  // namespace

void AddPlan(CLI::App& app, int& status) {
  auto arguments = std::make_shared<PlanArguments>();
  CLI::App* command = app.add_subcommand(
      "plan", "Dry run without a pause: what an update would do, and what stands in its way");
  AddServerOptions(*command, arguments->options);
  command
      ->add_option(
          "--checkpoint", arguments->checkpoint,
          "the plan of the update that has kept its checkpoint there, made again from that")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->excludes("--pid")
      ->excludes("--to");
  command->add_flag("--json", arguments->json, "for programs");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
