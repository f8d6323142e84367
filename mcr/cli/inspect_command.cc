#include <cstdio>
#include <memory>

#include "mcr/cli/command.h"
#include "mcr/update/server_view.h"

namespace mcr::cli {
namespace {

struct InspectArguments {
  pid_t pid = 0;
  bool json = false;
};

int Run(const InspectArguments& arguments) {
  const auto view = update::ViewServer(arguments.pid);
  if (!view) {
    PrintError("inspect", view.error().Line());
    return kRefused;
  }
  std::fputs((arguments.json ? update::ToJson(*view) : update::ToText(*view)).c_str(), stdout);
  return 0;
}

}  // namespace

void AddInspect(CLI::App& app, int& status) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand(
      "inspect", "A server's processes, threads, modules and memory, without stopping it");
  command->add_option("pid", arguments->pid, "the server's main process")->required();
  command->add_flag("--json", arguments->json, "for programs");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
