#include "mcr/cli/update_options.h"

#include "mcr/cli/command.h"

namespace mcr::cli {

void AddServerOptions(CLI::App& command, update::Options& options) {
  command.add_option("--pid", options.pid, "the server's main process (required)")
      ->type_name("PID");
  command
      .add_option("--to", options.to, "the new version of its program (default: what is on disk)")
      ->type_name("BINARY");
  command
      .add_option("--profile", options.profile,
                  "what to know about the server (default: the shipped one)")
      ->type_name("FILE");
  command
      .add_option("--debug-dir", options.debug_dirs,
                  "another place to look for separate debug files; may repeat")
      ->type_name("DIR");
  command
      .add_option("--require", options.require,
                  "a condition on the old version's variables that must hold at the pause, as in "
                  "'*count < 5'; may repeat")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  command.add_flag("--strict", options.strict,
                   "refuse to take words for pointers to data where no type says that they are");
  command.add_option("--criu", options.criu, "the criu program (default: $MCR_CRIU, cache, $PATH)")
      ->type_name("PATH");
}

bool HasServer(const update::Options& options) {
  if (options.pid == 0) PrintError("usage", "--pid is missing; see mcr --help");
  return options.pid != 0;
}

}  // namespace mcr::cli
