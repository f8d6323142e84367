// The image of a process whose tasks are stopped.
//
// Made in two steps. Create reads what the kernel shows of any process; Answers are what only the
// process itself can say, in system calls that it makes for us: its tasks must be in ptrace stops
// of ours. After that, memory and populated ranges can be read whoever holds the tasks stopped
// (CRIU, a frozen cgroup).
#ifndef MCR_CHECKPOINT_LIVE_IMAGE_H_
#define MCR_CHECKPOINT_LIVE_IMAGE_H_

#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/image_parts.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "tracer/page_cache.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/pagemap/pagemap.h"
#include "tracer/task.h"
#include "tracer/task_group.h"
#include "tracer/unwind.h"

namespace mcr::checkpoint {

// The threads of a stopped process with their registers. Called from the tracer's thread.
Result<std::vector<ThreadImage>> ReadThreads(const tracer::TracedProcess& process);

// What a process says of itself.
struct Answers {
  Addr brk;  // exactly
  std::vector<SignalHandler> signal_handlers;
  std::vector<SignalStack> signal_stacks;  // of the threads that ProcessImage lists
  std::vector<int> epoll_sets;             // descriptors
};
// In one injected batch; one more for each other thread that may have a stack for signal handlers.
Result<Answers> AskProcess(tracer::TracedProcess& process);

class LiveImage : public ImageParts {
 public:
  // Mappings, registers, epoll entries, layout. brk is taken for the heap's end until SetAnswers.
  static Result<std::unique_ptr<LiveImage>> Create(const tracer::TracedProcess& process);

  // The same for a caller that has read the registers already, and may be another thread than the
  // tracer. `epoll_sets`: their descriptors, if they are known; to find them takes long where there
  // are thousands of others.
  // `file_pages`: shared with the images of other processes of the tree.
  static Result<std::unique_ptr<LiveImage>> CreateStopped(
      pid_t pid, std::vector<ThreadImage> threads,
      std::optional<std::vector<int>> epoll_sets = std::nullopt,
      std::shared_ptr<tracer::FilePages> file_pages = std::make_shared<tracer::FilePages>());

  // The same of a process that runs and is not attached: its threads have no registers, and what is
  // read may change any moment. For looking ahead.
  static Result<std::unique_ptr<LiveImage>> CreateRunning(pid_t pid);

  void SetAnswers(Answers answers);

  // What an unwinder found out about a thread (ThreadImage::frames and return_slots).
  void SetStack(pid_t tid, const std::vector<tracer::Frame>& stack);

  const std::vector<int>& epoll_sets() const { return epoll_sets_; }
  // Few bytes come out of a cache, since those who look at single words come back to the same
  // pages, and so does which pages there are: the memory must not change as long as the image is
  // used, or is that of a look ahead.
  Status Read(Addr from, std::span<std::byte> into) const override;
  Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const override;

 private:
  LiveImage(pid_t pid, pid_t parent, tracer::LiveMemory memory, tracer::Pagemap pagemap,
            std::shared_ptr<tracer::FilePages> file_pages);

  static Result<std::unique_ptr<LiveImage>> Open(pid_t pid, pid_t parent,
                                                 std::optional<std::vector<int>> epoll_sets,
                                                 std::shared_ptr<tracer::FilePages> file_pages);

  Result<const std::vector<Range<Addr>>*> AnonymousPages() const;
  Status FindEpollSets();
  Status ReadEpoll();
  Status ReadTimers();
  Status ReadLayout();

  tracer::LiveMemory memory_;
  tracer::Pagemap pagemap_;
  std::shared_ptr<tracer::FilePages> file_pages_;
  tracer::PageCache cache_;
  std::vector<int> epoll_sets_;
  mutable std::optional<std::vector<Range<Addr>>> anonymous_;  // once they were asked for
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_LIVE_IMAGE_H_
