// The open files of a checkpoint, which mappings and descriptors name by number.
#ifndef MCR_CHECKPOINT_CRIU_FILE_TABLE_H_
#define MCR_CHECKPOINT_CRIU_FILE_TABLE_H_

#include <cstdint>
#include <map>

#include "checkpoint/criu/image_directory.h"
#include "checkpoint/criu/images.pb.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class FileTable {
 public:
  static Result<FileTable> Read(const ImageDirectory& directory);

  // nullptr: there is none.
  const criu::File* Find(uint32_t id) const;
  // The memory behind a file of memfd_create(2) or a shared anonymous mapping; nullptr: it is
  // another file.
  const criu::MemoryFileInode* FindMemory(const criu::File& file) const;

 private:
  FileTable() = default;

  std::map<uint32_t, criu::File> files_;
  std::map<uint64_t, criu::MemoryFileInode> inodes_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_FILE_TABLE_H_
