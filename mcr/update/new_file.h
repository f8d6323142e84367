// A new version's file, opened once: what was checked is what is read, rehearsed and mapped,
// whatever its name leads to later.
#ifndef MCR_UPDATE_NEW_FILE_H_
#define MCR_UPDATE_NEW_FILE_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::update {

class NewFile {
 public:
  // Fails unless it is a regular file that nobody but root and `owner`, whom the server belongs to,
  // can write to: it is going to be executed with the server's rights, over its memory.
  static Result<NewFile> Open(const std::string& path, uid_t owner);

  // Leads to the file as long as one of its copies lives, in this process and its children.
  const std::string& file() const { return file_; }
  // Where it lay when it was opened, for people.
  const std::string& path() const { return path_; }

  Status CheckExecutable() const;

 private:
  std::shared_ptr<const OwnedFd> fd_;
  std::string file_;
  std::string path_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_NEW_FILE_H_
