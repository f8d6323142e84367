#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "mcr/cli/command.h"
#include "mcr/update/server_view.h"

namespace mcr::cli {
namespace {

struct InspectArguments {
  std::string what;  // a PID or a directory
  bool json = false;
};

Result<update::ServerView> View(const std::string& what) {
  const char* const end = what.data() + what.size();
  pid_t pid = 0;
  const auto [rest, failed] = std::from_chars(what.data(), end, pid);
  if (failed == std::errc() && rest == end) return update::ViewServer(pid);
  return update::ViewCheckpoint(what);
}

int Run(const InspectArguments& arguments) {
  const auto view = View(arguments.what);
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
  command
      ->add_option("server", arguments->what,
                   "the server's main process, or a directory with a checkpoint of it")
      ->required()
      ->type_name("PID|DIR");
  command->add_flag("--json", arguments->json, "for programs");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
