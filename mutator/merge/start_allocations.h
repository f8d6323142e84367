// Memory that only the new version's start allocates: what it leads to from variables, fields and
// frames that the old version does not have, the live process gets as well.
//
// A pointer of that start means the same allocation in the live process if both versions' starts
// have it (start_heap.h), and otherwise one that is made anew, with what the start left in it.
// Nothing that keeps the server's own value may lead there, too: it would not know of the copy.
#ifndef MCR_MUTATOR_MERGE_START_ALLOCATIONS_H_
#define MCR_MUTATOR_MERGE_START_ALLOCATIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/fresh_shared.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/start_heap.h"

namespace mcr::mutator {

class StartAllocations {
 public:
  struct Context {
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const Base* base;  // nullptr: nothing can be told
    const ChangedModules& modules;
    const ImageMap& next_to_live;
    const FreshShared& fresh;
    const ObjectMoves& moves;
    // Is asked when it is needed.
    std::function<Result<const StartHeap*>()> heap;
    // What a word of the live process becomes.
    std::function<Result<uint64_t>(uint64_t)> live_word;
  };
  explicit StartAllocations(Context context)
      : context_(std::move(context)), placeholder_(context_.moves.free_placeholder()) {}

  // What a pointer that the new version's start has at `holder` is in the live process: an address
  // of it, or a placeholder. Fails, and says why, if it cannot be told.
  Result<uint64_t> Bring(uint64_t word, Addr holder);

  // Says that a pointer of the start and one of the live process are of the same variable: what the
  // one points to is the other's. If they point to no allocation, nothing is learned.
  void Pair(uint64_t next_word, uint64_t live_word);

  // Memory with these bytes; a placeholder.
  uint64_t Allocate(std::vector<std::byte> bytes);

  // Whether `live` holds what a start of the old version has left at that place; `start`: with
  // addresses of modules in the live process's terms.
  bool IsUntouched(std::span<const std::byte> live, std::span<const std::byte> start);

  // After all that was to be brought: the allocations, and what they hold.
  void AddTo(checkpoint::ProcessGraft& graft, MergePlan& plan);

 private:
  struct Copy {
    const HeapChunk* chunk;
    Addr to;                     // a placeholder, unless it is in place
    std::string led_by;          // for messages
    bool laid_out_anew = false;  // takes the place of memory of the live process
    bool in_place = false;
  };
  struct Made {
    Addr placeholder;
    std::vector<std::byte> bytes;
  };

  Result<const StartHeap*> Heap();
  Result<const ChunkPair*> PairOf(Addr in_base);
  Result<uint64_t> InLive(Range<Addr> in_base, uint64_t offset);
  bool SameAllocation(uint64_t live_word, uint64_t start_word);
  Addr Place(uint64_t size);
  void AddLaidOutAnew();
  void WriteInPlace(const Copy& copy, std::span<const std::byte> bytes,
                    checkpoint::ProcessGraft& graft) const;
  std::optional<uint64_t> InKept(uint64_t word) const;
  std::optional<uint64_t> InPlace(uint64_t word);
  std::optional<uint64_t> InOthers(const HeapChunk& chunk, uint64_t word);
  std::optional<Addr> OtherHolder(Addr allocation) const;
  bool IsMallocs(Addr at, uint64_t word, const HeapChunk& target) const;
  static bool EndsText(std::span<const std::byte> bytes, uint64_t at);
  Result<std::optional<uint64_t>> FillWord(Addr at, uint64_t word, const PointerGuard& theirs,
                                           const PointerGuard& ours);
  Result<std::vector<std::byte>> Fill(const Copy& copy, const PointerGuard& theirs,
                                      const PointerGuard& ours, checkpoint::ProcessGraft& graft);
  void RefuseShared(const Copy& copy, MergePlan& plan) const;
  bool IsBrought(Addr word) const;
  bool IsLeftOver(Addr word) const;
  bool IsBelowSystemCall(Addr word, const checkpoint::ThreadImage& thread) const;
  std::string Name(Addr word) const;

  Context context_;
  Addr placeholder_;
  const StartHeap* heap_ = nullptr;
  std::optional<std::vector<ChunkPair>> pairs_;           // of the live process and the base
  std::map<Addr, std::pair<uint64_t, uint64_t>> paired_;  // by where the start has the allocation
  std::map<Addr, Copy> copies_;                           // the same
  std::deque<Copy> unfilled_;
  std::vector<Made> made_;
  std::set<Addr> holders_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_ALLOCATIONS_H_
