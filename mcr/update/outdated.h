// Which code a process executes that is no longer on disk: its program, or a library, that was
// replaced or removed since it was mapped. Nothing is stopped.
#ifndef MCR_UPDATE_OUTDATED_H_
#define MCR_UPDATE_OUTDATED_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "mcr/base/mapping.h"
#include "mcr/base/result.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {

struct OutdatedModule {
  std::string path;              // as the process knows it
  std::string running_file;      // a path under which mcr can open what the process runs
  std::string on_disk;           // what is there now, as a path that mcr can open; "": nothing
  std::string running_build_id;  // "" if the file has none
  std::string disk_build_id;
  bool is_program = false;  // else a library
};

// Not outdated: a file that was replaced by the same build (a package that was installed again);
// what never was on disk (memfds) or is no ELF file (code that the process made itself); a library
// whose directory is gone, too (programs unpack some for themselves).
Result<std::vector<OutdatedModule>> FindOutdated(const tracer::ProcFs& procfs, pid_t pid);

}  // namespace mcr::update

#endif  // MCR_UPDATE_OUTDATED_H_
