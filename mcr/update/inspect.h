// Stage 1: everything that can be known, and refused, without touching the server.
#ifndef MCR_UPDATE_INSPECT_H_
#define MCR_UPDATE_INSPECT_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/changed_types.h"
#include "mcr/update/function_names.h"
#include "mcr/update/module_files.h"
#include "mcr/update/new_file.h"
#include "mcr/update/options.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/differences.h"
#include "profiles/profile.h"
#include "tracer/rehearsal/start_record.h"

namespace mcr::update {

struct Inspection {
  std::vector<pid_t> pids;  // that execute the program: the root first, parents before children
  bool main_only = false;   // its children are left alone
  size_t left_alone = 0;    // how many execute the program, and are
  std::string executable;   // path of the server's program in its own mount namespace
  std::string new_program;  // absolute path of --to; the same as `executable` if it stays
  std::vector<NewFile> new_files;  // in the order of `modules`
  // The program; one and the same if only libraries change.
  std::shared_ptr<const mutator::Program> before;
  std::shared_ptr<const mutator::Program> after;
  std::vector<mutator::ModuleVersions> modules;  // what changes; the program first, if it does
  mutator::Differences differences;              // of all modules
  std::vector<ChangedType> types;                // of all modules, for people
  std::vector<std::string> changed_functions;    // that both versions have

  size_t functions() const;  // of the old modules
  bool program_changes() const { return modules.front().is_program; }
  // Whose functions are known: the program, and what changes.
  std::vector<KnownFile> OldFiles() const;
  std::vector<KnownFile> NewFiles() const;
  std::vector<std::string> NewPaths() const;  // of `new_files`, for people
  std::vector<std::string> Warnings() const;
  std::optional<profiles::Profile> profile;
  tracer::StartRecord start;
  bool strict = false;
  CheckpointMode checkpoint = CheckpointMode::kCriu;  // not kAuto
  std::string criu;                                   // the criu program, if it is used
  bool twins_will_do = false;  // should CRIU find in the pause that it cannot dump the server
};

// Fails for whatever stands in the way of any update of this server to this program; what differs
// between the two is in Inspection::differences, for the caller to judge (a plan shows it, an
// update refuses it).
Result<Inspection> Inspect(const Target& target, const Options& options);

struct VersionsToLoad {
  std::string executable;
  std::string program_file;        // where it can be read; only if it does not change
  std::vector<ModuleFiles> files;  // what changes; the program first, if it does
  std::optional<profiles::Profile> profile;
  mutator::DebugSearch search;
  bool strict = false;
};

// Of the files alone, without a server: no processes, no start.
Result<Inspection> InspectVersions(VersionsToLoad versions);

}  // namespace mcr::update

#endif  // MCR_UPDATE_INSPECT_H_
