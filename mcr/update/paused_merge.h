// The merge of a server in the pause, on a thread of its own beside the checkpoint; and, of each
// process as soon as it is merged, what a graft takes, and validation, from the memory that is
// about to be written to.
#ifndef MCR_UPDATE_PAUSED_MERGE_H_
#define MCR_UPDATE_PAUSED_MERGE_H_

#include <sched.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "checkpoint/graft/executor.h"
#include "checkpoint/live_image.h"
#include "mcr/base/result.h"
#include "mcr/update/old_state.h"
#include "mutator/merge/merge.h"
#include "mutator/merge/merge_plan.h"
#include "tracer/sys/background.h"

namespace mcr::update {

class PausedMerge {
 public:
  using Images = std::vector<std::unique_ptr<checkpoint::LiveImage>>;
  // All outlive this. `pairs`: of `live`, in its order. `old_state`: with nothing in it.
  PausedMerge(mutator::Merger& merger, std::vector<mutator::ProcessPair> pairs, const Images& live,
              OldState old_state)
      : merger_(merger), pairs_(std::move(pairs)), live_(live), old_state_(std::move(old_state)) {}
  PausedMerge(const PausedMerge&) = delete;
  PausedMerge& operator=(const PausedMerge&) = delete;
  ~PausedMerge() { Wait(); }

  // Who prepares a process while the next one is merged.
  enum class Preparer {
    kMerger,  // the merge's thread, when it comes to it
    kCaller,  // whoever calls Finish
  };
  // `processors`: where the thread works, if not where the caller does.
  void Begin(Preparer preparer, const std::optional<cpu_set_t>& processors);

  // Nothing is left to do but this: the merge gives way to nobody any more.
  Status Finish();
  // Until it no longer reads the processes.
  void Wait();

  // After Finish.
  const mutator::MergePlan& plan() const { return *plan_; }
  checkpoint::GraftPreparation TakePreparation() { return std::move(preparation_); }
  const OldState& old_state() const { return old_state_; }
  double cpu_ms() const { return cpu_ms_; }
  std::chrono::steady_clock::time_point began() const { return began_; }
  std::chrono::steady_clock::time_point ended() const { return ended_; }

 private:
  using Part = mutator::Merger::Part;

  Status Run();
  Status Merge();
  void Announce(const Part& part);
  void Prepare(const Part& part);
  std::optional<Part> AwaitPart();

  mutator::Merger& merger_;
  const std::vector<mutator::ProcessPair> pairs_;
  const Images& live_;
  Preparer preparer_ = Preparer::kMerger;
  tracer::Background background_;
  std::unique_ptr<const mutator::MergePlan> plan_;
  // What follows is the preparer's alone, and refers to the plan.
  checkpoint::GraftPreparation preparation_;
  OldState old_state_;
  Status prepared_;

  std::chrono::steady_clock::time_point began_, ended_;
  double cpu_ms_ = 0;

  std::mutex mutex_;
  std::condition_variable announced_;
  std::deque<Part> parts_;  // merged, and not prepared
  bool over_ = false;       // nothing more is going to be announced
  std::future<Status> merging_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_PAUSED_MERGE_H_
