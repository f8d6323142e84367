// A process image in a file: what a merge reads of a rehearsal (memory, threads, layout), so that
// it can be read again when the rehearsal is gone.
#ifndef MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_
#define MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/criu/image_directory.h"
#include "checkpoint/kept/page_pool.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// What the kernel keeps for the process is left out. Its pages go to `pool`.
Status KeepImage(const ProcessImage& image, const ImageDirectory& directory,
                 const std::string& name, PagePool& pool);

class KeptImage : public ProcessImage {
 public:
  static Result<std::unique_ptr<KeptImage>> Open(const ImageDirectory& directory,
                                                 const std::string& name,
                                                 std::shared_ptr<const KeptPages> pages);

  pid_t pid() const override { return pid_; }
  pid_t parent() const override { return parent_; }
  const Mappings& mappings() const override { return mappings_; }
  const std::vector<ThreadImage>& threads() const override { return threads_; }
  const std::vector<SignalHandler>& signal_handlers() const override { return signal_handlers_; }
  const std::vector<EpollEntry>& epoll_entries() const override { return epoll_entries_; }
  const std::vector<Timer>& timers() const override { return timers_; }
  const std::vector<SignalStack>& signal_stacks() const override { return signal_stacks_; }
  const MemoryLayout& layout() const override { return layout_; }
  Status Read(Addr from, std::span<std::byte> into) const override;
  Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const override;

 private:
  struct Memory {
    Range<Addr> range;
    std::vector<uint32_t> pages;
  };

  explicit KeptImage(std::shared_ptr<const KeptPages> pages) : pages_(std::move(pages)) {}

  pid_t pid_ = 0;
  pid_t parent_ = 0;
  Mappings mappings_;
  std::vector<ThreadImage> threads_;
  std::vector<SignalHandler> signal_handlers_;
  std::vector<EpollEntry> epoll_entries_;
  std::vector<Timer> timers_;
  std::vector<SignalStack> signal_stacks_;
  MemoryLayout layout_;
  std::vector<Memory> memory_;          // by address
  std::vector<Range<Addr>> populated_;  // by mapping
  std::shared_ptr<const KeptPages> pages_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_
