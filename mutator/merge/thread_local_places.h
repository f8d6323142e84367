// Where thread-local variables are, and where the new version has them.
#ifndef MCR_MUTATOR_MERGE_THREAD_LOCAL_PLACES_H_
#define MCR_MUTATOR_MERGE_THREAD_LOCAL_PLACES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/loader_state.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/stack/take_over.h"
#include "mutator/merge/static_tls.h"

namespace mcr::mutator {

struct ThreadLocalsContext {
  const checkpoint::ProcessImage& live;
  const checkpoint::ProcessImage& next;
  const LoadedModules& live_modules;
  const LoadedModules& next_modules;
  const LinkMaps& live_links;
  const LinkMaps& next_links;
  const ChangedModules& modules;
  const ImageMap& next_to_live;
  const ObjectMoves& moves;
  const StackTakeOver& stacks;
};

class ThreadLocalPlaces {
 public:
  // A block, and where the same module's is in the new version.
  struct BlockPair {
    const StaticTls::Block* before = nullptr;
    const StaticTls::Block* after = nullptr;
    const ChangedModule* module = nullptr;  // nullptr: an unchanged one
  };
  struct Thread {
    const checkpoint::ThreadImage* image = nullptr;
    Addr control_block;
    Range<Addr> blocks;  // all of the old version's
    Range<Addr> vector;  // in which the loader keeps where each begins
  };

  // nullptr: everything is where it was. Fails if it cannot be where the new version has it. The
  // context outlives the places.
  static Result<std::unique_ptr<ThreadLocalPlaces>> Find(const ThreadLocalsContext& context);

  const StaticTls& before() const { return before_; }
  const StaticTls& after() const { return after_; }
  const std::vector<BlockPair>& pairs() const { return pairs_; }
  // Whose registers are known.
  const std::vector<Thread>& threads() const { return threads_; }
  // The word in which the loader counts what is taken; null: it stays right.
  Addr used_slot() const { return used_slot_; }

  // The thread in whose blocks `at` is; nullptr: none.
  const Thread* ThreadAt(Addr at) const;
  // Of what is so far below a control block. nullopt: the new version does not have it, or in two
  // places.
  std::optional<uint64_t> NewDistance(uint64_t distance) const;

  // Whether the word at `at` is where a block begins, whatever variable begins there.
  bool IsBlockStart(Addr at) const;
  std::optional<uint64_t> NewStart(uint64_t distance) const;

 private:
  ThreadLocalPlaces(const ThreadLocalsContext& context, StaticTls before, StaticTls after)
      : context_(context), before_(std::move(before)), after_(std::move(after)) {}

  bool PairBlocks();  // whether any has to move
  Status CheckChanged() const;
  Status CheckUnchanged() const;
  Status FindRoom();
  Status FindThreads();
  Result<Range<Addr>> FindVector(Addr control_block) const;

  const ThreadLocalsContext& context_;
  const StaticTls before_, after_;
  std::vector<BlockPair> pairs_;
  std::vector<Thread> threads_;  // by address
  Addr used_slot_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_THREAD_LOCAL_PLACES_H_
