#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "mcr/cli/command.h"
#include "mcr/update/status.h"

namespace mcr::cli {
namespace {

constexpr int kOutdated = 1;

struct StatusArguments {
  std::vector<std::string> debug_dirs;
  bool json = false;
};

int Run(const StatusArguments& arguments) {
  const auto status = update::FindOutdatedServers(arguments.debug_dirs);
  if (!status) {
    PrintError("status", status.error().Line());
    return kRefused;
  }
  std::fputs((arguments.json ? update::ToJson(*status) : update::ToText(*status)).c_str(), stdout);
  return status->outdated.empty() ? 0 : kOutdated;
}

}  // namespace

void AddStatus(CLI::App& app, int& status) {
  auto arguments = std::make_shared<StatusArguments>();
  CLI::App* command =
      app.add_subcommand("status", "Which running servers execute code that is no longer on disk");
  command
      ->add_option("--debug-dir", arguments->debug_dirs,
                   "another place to look for separate debug files; may repeat")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "for programs");
  command->footer("Exit status: 0 none does; 1 some do; 2 usage; 3 it could not be found out.");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
