// What an update exchanges: the server's program, and the libraries and plug-ins that are on disk
// in another version than the server has mapped.
#ifndef MCR_UPDATE_MODULE_FILES_H_
#define MCR_UPDATE_MODULE_FILES_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/new_file.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/changed_modules.h"
#include "profiles/profile.pb.h"

namespace mcr::update {

struct ModuleFiles {
  std::string path;      // as the server has it mapped
  std::string old_file;  // where its version can be read; also when it was replaced on disk
  NewFile new_file;
  bool is_program = false;
};

// The program comes first, if it changes: to `to`, or if that is "", to what is on disk at its
// path. Fails if nothing changes. `owner`: whom the server runs as.
Result<std::vector<ModuleFiles>> FindChangedFiles(const std::vector<pid_t>& pids,
                                                  const std::string& executable,
                                                  const std::string& to, uid_t owner);

// Both versions with their debug information, and how addresses of the one become addresses of the
// other.
Result<mutator::ModuleVersions> LoadVersions(const ModuleFiles& files,
                                             const mutator::DebugSearch& search,
                                             const profiles::Annotations& annotations);

}  // namespace mcr::update

#endif  // MCR_UPDATE_MODULE_FILES_H_
