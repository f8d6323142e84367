#include <cstdio>
#include <memory>

#include "mcr/cli/command.h"
#include "mcr/cli/update_options.h"
#include "mcr/update/plan.h"

namespace mcr::cli {
namespace {

struct PlanArguments {
  update::Options options;
  bool json = false;
};

int Run(const PlanArguments& arguments) {
  if (!HasServer(arguments.options)) return kUsage;
  const auto plan = update::Plan(arguments.options);
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
  command->add_flag("--json", arguments->json, "for programs");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
