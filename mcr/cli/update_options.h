// The options that plan and update share.
#ifndef MCR_CLI_UPDATE_OPTIONS_H_
#define MCR_CLI_UPDATE_OPTIONS_H_

#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/options.h"

namespace mcr::cli {

// Which servers, as they were given.
struct ServerArguments {
  std::vector<pid_t> pids;
  std::vector<std::string> to, profiles, require;
};

void AddServerOptions(CLI::App& command, ServerArguments& servers, update::Options& options);

// Who belongs to whom, once `command` was parsed: what follows a --pid belongs to it; --to and
// --profile, if there are as many as servers, in their order. Fails for what belongs to nobody.
Result<std::vector<update::Target>> PairUp(const CLI::App& command, const ServerArguments& servers);

}  // namespace mcr::cli

#endif  // MCR_CLI_UPDATE_OPTIONS_H_
