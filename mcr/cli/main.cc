#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "mcr/cli/command.h"

namespace mcr::cli {

void PrintError(std::string_view stage, const std::string& line) {
  std::fprintf(stderr, "mcr: %.*s: %s\n", static_cast<int>(stage.size()), stage.data(),
               line.c_str());
}

namespace {

constexpr char kFooter[] =
    "Example:\n"
    "  mcr check                                            can updates run on this host?\n"
    "  mcr plan   --pid $(cat /run/server.pid) --to /usr/sbin/server.new   what would happen?\n"
    "  mcr update --pid $(cat /run/server.pid) --to /usr/sbin/server.new   do it\n"
    "\n"
    "Exit status of update: 0 updated; 2 usage; 3 refused, the server was never paused;\n"
    "4 rolled back, the server runs the old version as before; 5 the server was lost.\n"
    "More: mcr help TOPIC (updating, refusals, profiles, rollback, exit-status), man mcr";

// Inside a pause, memory that was used before is had for nothing, while a page from the kernel
// costs microseconds: keep what is freed, and have all threads draw on it.
void KeepFreedMemory() {
  constexpr int kNever = 1 << 30;
  constexpr int kMostThatCounts = 32 << 20;  // glibc ignores more (malloc/malloc.c, HEAP_MAX_SIZE)
  mallopt(M_MMAP_THRESHOLD, kMostThatCounts);
  mallopt(M_TRIM_THRESHOLD, kNever);
  mallopt(M_ARENA_MAX, 1);
}

int Main(int argc, char** argv) {
  KeepFreedMemory();
  RecoverLeftBehind();
  CLI::App app(
      "mcr: live update of running servers. A running, unmodified server executes a new version of "
      "its "
      "program, with the same processes, connections and data, or stays exactly as it was.",
      "mcr");
  app.require_subcommand(1);
  app.footer(kFooter);
  int status = 0;
  AddCheck(app, status);
  AddPlan(app, status);
  AddUpdate(app, status);
  AddInspect(app, status);
  AddProfile(app, status);
  AddRecord(app, status);
  AddReplay(app, status);
  AddReport(app, status);
  AddRestore(app, status);
  AddStatus(app, status);
  AddHelp(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    PrintError("usage", std::string(error.what()) + "; see mcr --help");
    return kUsage;
  }
  return status;
}

}  // namespace
}  // namespace mcr::cli

int main(int argc, char** argv) { return mcr::cli::Main(argc, argv); }
