// What says where thread-local variables are: pointers to them, and the loader's tables.
#ifndef MCR_MUTATOR_MERGE_THREAD_LOCAL_POINTERS_H_
#define MCR_MUTATOR_MERGE_THREAD_LOCAL_POINTERS_H_

#include <cstdint>
#include <set>
#include <string>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "mutator/graph/dead_stacks.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/account.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/thread_local_places.h"

namespace mcr::mutator {

class ThreadLocalPointers {
 public:
  // All outlive this.
  ThreadLocalPointers(const ThreadLocalsContext& context, const ThreadLocalPlaces& places,
                      checkpoint::ProcessGraft& graft, Account& account, MergePlan& plan)
      : context_(context),
        places_(places),
        graft_(graft),
        account_(account),
        plan_(plan),
        dead_(context.live) {}

  // Where a pointer to a thread-local variable points afterwards; the word itself if it is none. A
  // problem if the new version does not have the variable; `holder` is for its message.
  uint64_t Translate(uint64_t word, const std::string& holder);

  // In what is written anyway, except to the blocks themselves: before they are laid out.
  void MoveWritten();
  // Everything else that points to them: memory, registers, global offset tables, link maps.
  Status Move();

 private:
  Status MoveDistances();
  Status MoveDistancesOf(const LoadedModule& module);
  void WriteDistance(Addr at, uint64_t distance);
  Status MoveMemory();
  void MoveWord(const LikelyPointer& pointer);
  void MoveStart(const LikelyPointer& pointer);
  void MoveRegisters(const checkpoint::ThreadImage& thread);
  Status RefuseHeldDistances(const checkpoint::ThreadImage& thread);

  const ThreadLocalsContext& context_;
  const ThreadLocalPlaces& places_;
  checkpoint::ProcessGraft& graft_;
  Account& account_;
  MergePlan& plan_;
  const DeadStacks dead_;
  std::set<uint64_t> moved_distances_;  // as global offset tables hold them: negative
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_THREAD_LOCAL_POINTERS_H_
