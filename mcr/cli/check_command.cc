#include <cstdio>
#include <memory>
#include <string>

#include "mcr/cli/command.h"
#include "mcr/update/host.h"

namespace mcr::cli {
namespace {

int Run(const std::string& criu) {
  bool all = true;
  for (const update::HostRequirement& requirement : update::CheckHost(criu)) {
    const char* verdict = requirement.met        ? "ok      "
                          : requirement.optional ? "limited "
                                                 : "missing ";
    std::printf("%s%-22s %s\n", verdict, requirement.name.c_str(), requirement.detail.c_str());
    all = all && (requirement.met || requirement.optional);
  }
  std::puts(all ? "Updates can run on this host." : "Updates cannot run on this host.");
  return all ? 0 : 1;
}

}  // namespace

void AddCheck(CLI::App& app, int& status) {
  auto criu = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("check", "What the host offers, one line per requirement");
  command->add_option("--criu", *criu, "the criu program (default: $MCR_CRIU, cache, $PATH)")
      ->type_name("PATH");
  command->callback([criu, &status] { status = Run(*criu); });
}

}  // namespace mcr::cli
