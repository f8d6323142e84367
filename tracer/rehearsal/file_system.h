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
#include "tracer/rehearsal/replacement.h"

namespace mcr::tracer {

// A file that is taken into a sandbox, from where its path may not lead to it.
struct TakenFile {
  std::string path;  // where it appears
  OwnedFd file;
  // True: a mount of this one file that belongs to no namespace yet (open_tree(2)). False: open for
  // reading, to be copied; a file that was deleted cannot be mounted.
  bool is_mount = false;
};
Result<TakenFile> TakeFile(const Replacement& replacement);

struct FileSystemOptions {
  std::vector<MountPoint> mounts;  // of the namespace that we are in
  std::vector<TakenFile> files;
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
