#include "mcr/cli/update_options.h"

#include <algorithm>
#include <string_view>

namespace mcr::cli {
namespace {

constexpr char kPid[] = "--pid";
constexpr char kTo[] = "--to";
constexpr char kProfile[] = "--profile";
constexpr char kRequire[] = "--require";

CLI::Option& AddRepeated(CLI::App& command, const char* name, std::vector<std::string>& values,
                         const char* what, const char* type) {
  return *command.add_option(name, values, what)->type_name(type)->allow_extra_args(false);
}

// For each value of the option, the server that its place on the command line gives it to: the last
// one named before it, or the first.
std::vector<size_t> OwnersByPlace(const CLI::App& command, std::string_view name) {
  std::vector<size_t> owners;
  size_t seen = 0;
  for (const CLI::Option* option : command.parse_order()) {
    if (option->get_name() == kPid) ++seen;
    if (option->get_name() == name) owners.push_back(seen == 0 ? 0 : seen - 1);
  }
  return owners;
}

// For options of which every server takes one at most.
Status PairOne(const CLI::App& command, const char* name, const std::vector<std::string>& values,
               std::string update::Target::* field, std::vector<update::Target>& targets) {
  if (values.size() > targets.size()) {
    return Fail("there are more " + std::string(name) + " than --pid", "",
                "give one " + std::string(name) + " at most for each --pid");
  }
  const std::vector<size_t> owners = OwnersByPlace(command, name);
  std::vector<bool> taken(targets.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t owner = values.size() == targets.size() ? i : owners[i];
    if (taken[owner]) {
      return Fail("two " + std::string(name) + " belong to one --pid",
                  std::to_string(targets[owner].pid), "put each behind the --pid that it is for");
    }
    taken[owner] = true;
    targets[owner].*field = values[i];
  }
  return {};
}

}  // namespace

void AddServerOptions(CLI::App& command, ServerArguments& servers, update::Options& options) {
  command
      .add_option(kPid, servers.pids,
                  "the server's main process (required); may repeat: all servers are updated, or "
                  "none, and what follows a --pid belongs to it")
      ->type_name("PID")
      ->allow_extra_args(false);
  AddRepeated(command, kTo, servers.to,
              "the new version of its program (default: what is on disk, of its libraries, too)",
              "BINARY");
  AddRepeated(command, kProfile, servers.profiles,
              "what to know about the server (default: the shipped one)", "FILE");
  AddRepeated(command, kRequire, servers.require,
              "a condition on the old version's variables that must hold at the pause, as in "
              "'*count < 5'; may repeat",
              "EXPR");
  AddRepeated(command, "--debug-dir", options.debug_dirs,
              "another place to look for separate debug files; may repeat", "DIR");
  command.add_flag("--main-only", options.main_only,
                   "update the main process alone: its children go on with the old version until "
                   "they end (sessions of a listener)");
  command.add_flag("--strict", options.strict,
                   "refuse to take words for pointers to data where no type says that they are");
  command.add_option("--criu", options.criu, "the criu program (default: $MCR_CRIU, cache, $PATH)")
      ->type_name("PATH");
}

Result<std::vector<update::Target>> PairUp(const CLI::App& command,
                                           const ServerArguments& servers) {
  if (servers.pids.empty()) return Fail("--pid is missing", "", "see mcr --help");
  std::vector<update::Target> targets;
  for (const pid_t pid : servers.pids) {
    if (std::ranges::find(targets, pid, &update::Target::pid) != targets.end()) {
      return Fail("the same --pid is given twice", std::to_string(pid));
    }
    targets.push_back({.pid = pid});
  }
  MCR_TRY(PairOne(command, kTo, servers.to, &update::Target::to, targets));
  MCR_TRY(PairOne(command, kProfile, servers.profiles, &update::Target::profile, targets));
  const std::vector<size_t> owners = OwnersByPlace(command, kRequire);
  for (size_t i = 0; i < servers.require.size(); ++i) {
    targets[owners[i]].require.push_back(servers.require[i]);
  }
  return targets;
}

}  // namespace mcr::cli
