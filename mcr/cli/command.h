// One subcommand of mcr: declares its options to CLI11, and runs.
#ifndef MCR_CLI_COMMAND_H_
#define MCR_CLI_COMMAND_H_

#include <CLI/CLI.hpp>

#include "mcr/base/result.h"

namespace mcr::cli {

// The command line's contract.
inline constexpr int kUsage = 2;
inline constexpr int kRefused = 3;

// Each adds a subcommand to `app`; when it is chosen, `status` receives the exit status.
void AddCheck(CLI::App& app, int& status);
void AddPlan(CLI::App& app, int& status);
void AddUpdate(CLI::App& app, int& status);
void AddInspect(CLI::App& app, int& status);
void AddHelp(CLI::App& app, int& status);
void AddProfile(CLI::App& app, int& status);
void AddRecord(CLI::App& app, int& status);
void AddReplay(CLI::App& app, int& status);
void AddReport(CLI::App& app, int& status);
void AddRestore(CLI::App& app, int& status);
void AddStatus(CLI::App& app, int& status);

// Whatever is asked for: an update that was left behind comes first.
void RecoverLeftBehind();

// "mcr: STAGE: what, where, what to do about it" on stderr.
void PrintError(std::string_view stage, const std::string& line);

}  // namespace mcr::cli

#endif  // MCR_CLI_COMMAND_H_
