#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/fault.h"
#include "mcr/cli/command.h"
#include "mcr/cli/progress.h"
#include "mcr/cli/update_options.h"
#include "mcr/update/options.h"
#include "mcr/update/plan.h"
#include "mcr/update/summary.h"
#include "mcr/update/update.h"

namespace mcr::cli {
namespace {

constexpr char kListFaults[] = "list";

struct UpdateArguments {
  update::Options options;
  std::string report;
  std::string checkpoint = "criu";
  std::string fault;
  int timeout_ms = 1000;
  bool dry_run = false;
  bool json = false;
};

update::CheckpointMode ModeNamed(const std::string& name) {
  if (name == "twin") return update::CheckpointMode::kTwin;
  return name == "auto" ? update::CheckpointMode::kAuto : update::CheckpointMode::kCriu;
}

int ListFaults() {
  for (const FaultName& fault : kFaultNames) {
    std::printf("%.*s\n", static_cast<int>(fault.name.size()), fault.name.data());
  }
  return 0;
}

int DryRun(const UpdateArguments& arguments) {
  const auto plan = update::Plan(arguments.options);
  if (!plan) {
    PrintError("plan", plan.error().Line());
    return kRefused;
  }
  std::fputs((arguments.json ? update::ToJson(*plan) : update::ToText(*plan)).c_str(), stdout);
  return plan->problems.empty() ? 0 : kRefused;
}

update::Report UpdateWithProgress(update::Options& options) {
  Progress progress(STDERR_FILENO, isatty(STDERR_FILENO) != 0);
  options.progress = [&](update::Stage stage, const std::string& text) {
    progress.Report(stage, text);
  };
  return update::Update(options);
}

int Run(UpdateArguments& arguments) {
  if (arguments.fault == kListFaults) return ListFaults();
  if (!HasServer(arguments.options)) return kUsage;
  arguments.options.checkpoint = ModeNamed(arguments.checkpoint);
  arguments.options.timeout = std::chrono::milliseconds(arguments.timeout_ms);
  if (arguments.dry_run) return DryRun(arguments);
  if (!arguments.fault.empty()) arguments.options.fault = FindFault(arguments.fault);

  const update::Report report = UpdateWithProgress(arguments.options);
  for (const std::string& warning : report.warnings) PrintError("warning", warning);
  if (!report.reason.empty()) PrintError(report.stage, report.reason);
  std::fputs((arguments.json ? update::ToJson(report) : update::Summary(report)).c_str(), stdout);
  if (!arguments.report.empty()) {
    if (const Status written = update::WriteReport(report, arguments.report); !written) {
      PrintError("report", written.error().Line());
    }
  }
  return update::ExitStatus(report.outcome);
}

std::vector<std::string> FaultNames() {
  std::vector<std::string> names = {kListFaults};
  for (const FaultName& fault : kFaultNames) names.emplace_back(fault.name);
  return names;
}

}  // namespace

void AddUpdate(CLI::App& app, int& status) {
  auto arguments = std::make_shared<UpdateArguments>();
  CLI::App* command = app.add_subcommand("update", "Make a running server execute a new version");
  AddServerOptions(*command, arguments->options);
  command
      ->add_option("--timeout", arguments->timeout_ms, "how long to wait for the quiescent points")
      ->type_name("MS")
      ->check(CLI::Range(1, 600000))
      ->capture_default_str();
  command
      ->add_option(
          "--checkpoint", arguments->checkpoint,
          "how to keep the state at the pause: dumped by criu, copied on write, or that if "
          "the server has much memory")
      ->check(CLI::IsMember({"criu", "twin", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--keep-checkpoint", arguments->options.keep_checkpoint,
                   "make this directory and keep the old version's state there")
      ->type_name("DIR");
  command->add_option("--report", arguments->report, "write what happened as JSON")
      ->type_name("FILE");
  command->add_flag("--json", arguments->json, "the report on standard output");
  command->add_flag("--dry-run", arguments->dry_run, "the same as plan");
  command
      ->add_option(
          "--inject-fault", arguments->fault,
          "for tests: fail at the end of this stage, with everything to undo; `list` shows them")
      ->check(CLI::IsMember(FaultNames()))
      ->type_name("STAGE");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
