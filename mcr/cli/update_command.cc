#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "checkpoint/guardian/guardian.h"
#include "checkpoint/guardian/recovery.h"
#include "mcr/base/fault.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "mcr/cli/command.h"
#include "mcr/cli/progress.h"
#include "mcr/cli/run_plan.h"
#include "mcr/cli/update_options.h"
#include "mcr/update/options.h"
#include "mcr/update/summary.h"
#include "mcr/update/update.h"

namespace mcr::cli {
namespace {

constexpr char kListFaults[] = "list";

// Of an update that is refused for what memory happens to hold. In between the server answers a few
// requests, which is what changes that.
constexpr int kMostAttempts = 3;
constexpr std::chrono::milliseconds kBetweenAttempts{100};
// What a worker ends with that asks for another attempt: EX_TEMPFAIL of sysexits.h.
constexpr int kAgain = 75;

struct UpdateArguments {
  ServerArguments servers;
  update::Options options;
  std::string report;
  std::string checkpoint = "auto";
  std::string fault;
  int timeout_ms = 1000;
  int pause_limit_ms = 30000;
  int time_limit_s = 1800;
  int watch_s = 0;
  uint64_t memory_limit_mib = 0;
  bool dry_run = false;
  bool json = false;
  int attempt = 1;
};

update::CheckpointMode ModeNamed(const std::string& name) {
  if (name == "twin") return update::CheckpointMode::kTwin;
  if (name == "both") return update::CheckpointMode::kBoth;
  return name == "auto" ? update::CheckpointMode::kAuto : update::CheckpointMode::kCriu;
}

int ListFaults() {
  for (const auto& fault : kFaultNames) {
    for (const auto& manner : kMannerNames) {
      if (manner.value == Manner::kFail && !CanFail(fault.value)) continue;
      std::printf("%.*s:%.*s\n", static_cast<int>(fault.name.size()), fault.name.data(),
                  static_cast<int>(manner.name.size()), manner.name.data());
    }
  }
  return 0;
}

// Asked before anything is done: a report that is missing afterwards helps nobody.
Status CheckReport(const std::string& path) {
  if (path.empty()) return {};
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.valid()) return FailErrno("cannot write the report", path, "check --report");
  return {};
}

update::Report UpdateWithProgress(update::Options& options) {
  Progress progress(STDERR_FILENO, isatty(STDERR_FILENO) != 0);
  options.progress = [&](update::Stage stage, const std::string& text) {
    progress.Report(stage, text);
  };
  return update::Update(options);
}

// In the worker, or of one that did not come to its end.
int Conclude(const UpdateArguments& arguments, const update::Report& report) {
  for (const std::string& warning : report.warnings()) PrintError("warning", warning);
  if (!report.reason.empty()) PrintError(report.stage, report.reason);
  std::fputs((arguments.json ? update::ToJson(report) : update::Summary(report)).c_str(), stdout);
  if (!arguments.report.empty()) {
    if (const Status written = update::WriteReport(report, arguments.report); !written) {
      PrintError("report", written.error().Line());
    }
  }
  return update::ExitStatus(report.outcome);
}

int Work(UpdateArguments& arguments, checkpoint::UndoLog& log) {
  // What mcr reads of the server's memory is to end in no core file.
  prctl(PR_SET_DUMPABLE, 0);
  ArmFault(ParseFault(arguments.fault));
  arguments.options.undo_log = &log;
  update::Report report = UpdateWithProgress(arguments.options);
  if (report.MayPass() && arguments.attempt < kMostAttempts) {
    PrintError("warning", "trying again, since the reason may pass: " + report.reason);
    return kAgain;
  }
  report.attempts = arguments.attempt;
  return Conclude(arguments, report);
}

update::Outcome OutcomeOf(checkpoint::Recovered recovered) {
  switch (recovered) {
    case checkpoint::Recovered::kUntouched:
      return update::Outcome::kRefused;
    case checkpoint::Recovered::kOld:
      return update::Outcome::kRolledBack;
    case checkpoint::Recovered::kNew:
      return update::Outcome::kUpdated;
  }
  return update::Outcome::kLost;
}

int Attempt(UpdateArguments& arguments) {
  checkpoint::GuardLimits limits;
  limits.pause = std::chrono::milliseconds(arguments.pause_limit_ms);
  limits.total = std::chrono::seconds(arguments.time_limit_s) + arguments.options.watch;
  limits.memory = arguments.memory_limit_mib << 20;
  const auto end = checkpoint::RunGuarded(
      limits, [&](checkpoint::UndoLog& log) { return Work(arguments, log); });
  if (end && end->interruption.empty()) return end->status;
  update::Report report;
  report.servers.resize(arguments.options.servers.size());
  report.attempts = arguments.attempt;
  report.stage = "guardian";
  if (end) {
    report.outcome = OutcomeOf(end->recovered);
    report.reason = end->interruption;
    report.servers.front().warnings = end->warnings;
  } else {
    report.outcome = update::Outcome::kLost;
    report.reason = end.error().Line();
  }
  return Conclude(arguments, report);
}

int RunGuarded(UpdateArguments& arguments) {
  while (true) {
    const int status = Attempt(arguments);
    if (status != kAgain) return status;
    ++arguments.attempt;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

// What can be found wrong with the command line before anything is done.
Status Check(const UpdateArguments& arguments) {
  if (arguments.options.servers.size() > 1 && !arguments.options.keep_checkpoint.empty()) {
    return Fail("a directory keeps the checkpoint of one server", arguments.options.keep_checkpoint,
                "leave --keep-checkpoint out, or update one server at a time");
  }
  if (arguments.options.servers.size() > 1 && arguments.options.watch.count() > 0) {
    return Fail("only one server can be on probation", "",
                "leave --watch out, or update one server at a time");
  }
  return CheckReport(arguments.report);
}

int Run(const CLI::App& command, UpdateArguments& arguments) {
  if (arguments.fault == kListFaults) return ListFaults();
  auto servers = PairUp(command, arguments.servers);
  if (!servers) {
    PrintError("usage", servers.error().Line());
    return kUsage;
  }
  arguments.options.servers = *std::move(servers);
  arguments.options.checkpoint = ModeNamed(arguments.checkpoint);
  arguments.options.timeout = std::chrono::milliseconds(arguments.timeout_ms);
  arguments.options.watch = std::chrono::seconds(arguments.watch_s);
  if (arguments.dry_run) return RunPlan(arguments.options, arguments.json);
  if (const Status usable = Check(arguments); !usable) {
    PrintError("usage", usable.error().Line());
    return kUsage;
  }
  return RunGuarded(arguments);
}

std::string CheckFault(const std::string& text) {
  if (text == kListFaults || ParseFault(text)) return "";
  return "no such fault: " + text + " (`list` shows them)";
}

}  // namespace

void AddUpdate(CLI::App& app, int& status) {
  auto arguments = std::make_shared<UpdateArguments>();
  CLI::App* command = app.add_subcommand("update", "Make a running server execute a new version");
  AddServerOptions(*command, arguments->servers, arguments->options);
  command
      ->add_option("--timeout", arguments->timeout_ms, "how long to wait for the quiescent points")
      ->type_name("MS")
      ->check(CLI::Range(1, 600000))
      ->capture_default_str();
  command
      ->add_option(
          "--checkpoint", arguments->checkpoint,
          "how to keep the state at the pause: dumped by criu, in a twin that is copied on write, "
          "both, or auto: dumped unless that takes long or cannot be done")
      ->check(CLI::IsMember({"criu", "twin", "both", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--keep-checkpoint", arguments->options.keep_checkpoint,
                   "make this directory and keep the old version's state there, for mcr restore")
      ->type_name("DIR");
  command
      ->add_option("--watch", arguments->watch_s,
                   "how long to stay after the commit: should a fatal signal threaten the new "
                   "version, the old one is brought back")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400));
  command
      ->add_option("--pause-limit", arguments->pause_limit_ms,
                   "how long the server may be stopped before the update is given up")
      ->type_name("MS")
      ->check(CLI::Range(1, 3600000))
      ->capture_default_str();
  command
      ->add_option("--time-limit", arguments->time_limit_s,
                   "how long everything may take before the update is given up")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  command
      ->add_option("--memory-limit", arguments->memory_limit_mib,
                   "how much memory mcr may use (default: what is free)")
      ->type_name("MIB");
  command->add_option("--report", arguments->report, "write what happened as JSON")
      ->type_name("FILE");
  command->add_flag("--json", arguments->json, "the report on standard output");
  command->add_flag("--dry-run", arguments->dry_run, "the same as plan");
  command
      ->add_option(
          "--inject-fault", arguments->fault,
          "for tests: what to do wrong, where, and at which time it is come to; `list` shows them")
      ->check(CheckFault)
      ->type_name("PLACE[:MANNER][@N]");
  command->callback([arguments, command, &status] { status = Run(*command, *arguments); });
}

}  // namespace mcr::cli
