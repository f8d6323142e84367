// One process as a CRIU checkpoint directory has it.
//
// Pages of file mappings that the process never wrote are not in the checkpoint: they are read from
// the file, which may have been replaced since.
#ifndef MCR_CHECKPOINT_CRIU_CRIU_IMAGE_H_
#define MCR_CHECKPOINT_CRIU_CRIU_IMAGE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/criu/file_table.h"
#include "checkpoint/criu/image_directory.h"
#include "checkpoint/criu/images.pb.h"
#include "checkpoint/criu/page_store.h"
#include "checkpoint/image_parts.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "tracer/unwind.h"

namespace mcr::checkpoint {

class CriuImage : public ImageParts {
 public:
  // All processes of the checkpoint, the root first. The images are untrusted: a damaged one is an
  // error that names it.
  // `files`: where a mapped file's contents of then are, by its path, if they are no longer there.
  static Result<std::vector<std::unique_ptr<CriuImage>>> OpenAll(
      const ImageDirectory& directory, const std::map<std::string, std::string>& files = {});

  // What an unwinder found out about its threads (ThreadImage::frames and return_slots).
  void SetStack(pid_t tid, const std::vector<tracer::Frame>& stack);

  size_t descriptors() const { return descriptors_; }  // how many are open
  Status Read(Addr from, std::span<std::byte> into) const override;
  Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const override;

 private:
  // Where the contents of a mapping are that are not among the process's own pages.
  struct Backing {
    std::shared_ptr<const PageStore> shared;  // shared anonymous memory
    std::shared_ptr<const OwnedFd> file;
    uint64_t file_size = 0;  // bytes
    bool missing = false;    // it is a file, which is gone
    uint64_t offset = 0;     // of the mapping's begin in either
  };

  struct Files {
    FileTable table;
    std::map<std::string, std::string> elsewhere;
  };

  CriuImage(pid_t pid, pid_t parent, PageStore pages)
      : ImageParts(pid, parent), pages_(std::move(pages)) {}

  static Result<std::unique_ptr<CriuImage>> Open(const ImageDirectory& directory,
                                                 const criu::Process& process, const Files& files);
  Status ReadThreads(const ImageDirectory& directory, const criu::Process& process);
  Status ReadDescriptors(const ImageDirectory& directory, const FileTable& files);
  Status ReadMemoryMap(const ImageDirectory& directory, const Files& files);
  Status AddMapping(const ImageDirectory& directory, const criu::Vma& vma, const Files& files);
  static Status BackByMemory(const ImageDirectory& directory, uint64_t id, Backing& backing);
  static void BackByFile(const criu::File& file, const Files& files, Mapping& mapping,
                         Backing& backing);
  void AddShared(size_t mapping, Range<Addr> part, std::vector<Range<Addr>>& ranges) const;
  Status ReadWithinPage(const Mapping& mapping, Addr from, std::span<std::byte> into) const;

  PageStore pages_;
  std::vector<Backing> backings_;  // one for each mapping
  size_t descriptors_ = 0;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_CRIU_IMAGE_H_
