// The files that a server has open or mapped, as far as CRIU wants them to be there, and of the
// same size, when it restores the server (criu/files-reg.c; a size may differ of those that are
// only appended to).
#ifndef MCR_UPDATE_OPEN_FILES_H_
#define MCR_UPDATE_OPEN_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::update {

class OpenFiles {
 public:
  // Of stopped processes.
  static OpenFiles Of(const std::vector<pid_t>& pids);

  // Fails with the name of one whose size is another now, or that is gone.
  Status CheckUnchanged() const;

 private:
  void Add(const std::string& path, bool may_grow);

  std::map<std::string, int64_t> sizes_;  // by path; kAnySize
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_OPEN_FILES_H_
