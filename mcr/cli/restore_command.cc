#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include "checkpoint/criu/kept_checkpoint.h"
#include "checkpoint/guardian/recovery.h"
#include "checkpoint/guardian/undo_directory.h"
#include "mcr/cli/command.h"
#include "mcr/update/criu_program.h"

namespace mcr::cli {
namespace {

constexpr char kUndoLogs[] = "/run/mcr";

// Who asks right after mcr was killed meets what is left of it.
constexpr std::chrono::milliseconds kPatience{3000};

int RecoverAll(std::chrono::milliseconds patience) {
  if (access(kUndoLogs, F_OK) != 0) return 0;  // it was never used
  const auto directory = checkpoint::UndoDirectory::Open(kUndoLogs);
  if (!directory) {
    PrintError("restore", directory.error().Line());
    return kRefused;
  }
  for (const std::string& line : checkpoint::RecoverLeftBehind(*directory, patience)) {
    PrintError("restore", line);
  }
  return directory->Names().empty() ? 0 : kRefused;
}

int Restore(const std::string& directory, const std::string& wanted) {
  const auto criu = update::FindCriu(wanted);
  const Status restored = criu ? checkpoint::RestoreCheckpoint(*criu, directory)
                               : Status(tl::make_unexpected(criu.error()));
  if (restored) return 0;
  PrintError("restore", restored.error().Line());
  return kRefused;
}

}  // namespace

void RecoverLeftBehind() {
  if (geteuid() == 0) (void)RecoverAll({});
}

void AddRestore(CLI::App& app, int& status) {
  struct Arguments {
    std::string directory, criu;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "restore", "Bring a server back that has ended, or undo updates that were left behind");
  command
      ->add_option("directory", arguments->directory,
                   "what update --keep-checkpoint has made (default: only what was left behind)")
      ->type_name("DIR");
  command
      ->add_option("--criu", arguments->criu, "the criu program (default: $MCR_CRIU, cache, $PATH)")
      ->type_name("PATH");
  command->callback([arguments, &status] {
    status = arguments->directory.empty() ? RecoverAll(kPatience)
                                          : Restore(arguments->directory, arguments->criu);
  });
}

}  // namespace mcr::cli
