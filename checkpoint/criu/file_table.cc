#include "checkpoint/criu/file_table.h"

#include "checkpoint/criu/image_file.h"

namespace mcr::checkpoint {

Result<FileTable> FileTable::Read(const ImageDirectory& directory) {
  FileTable table;
  MCR_ASSIGN(const auto files, ReadMessages<criu::File>(directory, "files.img", ImageKind::kFiles));
  for (const criu::File& file : files) table.files_[file.id()] = file;
  // A server without such memory has no such image.
  if (!directory.OpenFile("memfd.img")) return table;
  MCR_ASSIGN(const auto inodes,
             ReadMessages<criu::MemoryFileInode>(directory, "memfd.img", ImageKind::kMemoryFiles));
  for (const criu::MemoryFileInode& inode : inodes) table.inodes_[inode.inode_id()] = inode;
  return table;
}

const criu::File* FileTable::Find(uint32_t id) const {
  const auto file = files_.find(id);
  return file == files_.end() ? nullptr : &file->second;
}

const criu::MemoryFileInode* FileTable::FindMemory(const criu::File& file) const {
  if (!file.has_memfd()) return nullptr;
  const auto inode = inodes_.find(file.memfd().inode_id());
  return inode == inodes_.end() ? nullptr : &inode->second;
}

}  // namespace mcr::checkpoint
