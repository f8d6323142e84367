// The options that plan and update share.
#ifndef MCR_CLI_UPDATE_OPTIONS_H_
#define MCR_CLI_UPDATE_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "mcr/update/options.h"

namespace mcr::cli {

void AddServerOptions(CLI::App& command, update::Options& options);

// Whether --pid was given; says so if not.
bool HasServer(const update::Options& options);

}  // namespace mcr::cli

#endif  // MCR_CLI_UPDATE_OPTIONS_H_
