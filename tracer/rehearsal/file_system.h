// The file system of a sandbox: the server's, with a throw-away layer above everything that can be
// written.
//
// For the sandbox's init process, in a mount namespace of its own. Nothing needs to be undone: all
// of it vanishes with the last process of the namespace.
#ifndef MCR_TRACER_REHEARSAL_FILE_SYSTEM_H_
#define MCR_TRACER_REHEARSAL_FILE_SYSTEM_H_

#include <string>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/rehearsal/mount_table.h"

namespace mcr::tracer {

// A mount of the one file `path` that belongs to no namespace yet (open_tree(2)): works for files
// that cannot be reached from inside, and also from another mount namespace.
Result<OwnedFd> DetachFile(const std::string& path);

struct FileSystemOptions {
  std::vector<MountPoint> mounts;        // of the namespace that we are in
  OwnedFd program;                       // from DetachFile
  std::string executable;                // where it appears
  std::vector<std::string> remove;       // paths that do not exist inside
  std::vector<std::string> empty_files;  // files that are empty inside
};

// Builds the tree and makes it the root directory of the calling process. Also mounts /proc of the
// caller's PID namespace, writable below /proc/sys until SealKernelParameters.
Status EnterFileSystem(const FileSystemOptions& options);

// A rehearsed program runs with the server's rights, and /proc/sys is not all namespaced.
Status SealKernelParameters();

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_FILE_SYSTEM_H_
