// Takes over into one live process what the new version's start computes otherwise in the heap.
#ifndef MCR_MUTATOR_MERGE_START_HEAP_MERGE_H_
#define MCR_MUTATOR_MERGE_START_HEAP_MERGE_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/merge/account.h"
#include "mutator/merge/base.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/start_heap.h"
#include "mutator/merge/typed_objects.h"

namespace mcr::mutator {

class StartHeapMerge {
 public:
  StartHeapMerge() = default;  // takes nothing over
  // A value that the server has changed since its start stays, and is a conflict in `plan`; one of
  // which it cannot be told whether it may change is a problem.
  StartHeapMerge(const StartHeap& heap, const Base& base, const checkpoint::ProcessImage& live,
                 const TypedObjects& objects, MergePlan& plan);

  // Whether a pointer of the live process gets the new version's value, so that it does not matter
  // if what it points to is gone.
  bool Replaces(Addr pointer) const { return pointers_.contains(pointer); }
  // Through what the new version's start leads to other memory than the old one's; "": it allocates
  // what the old one's did, each value in its new size, apart from what is laid out anew.
  const std::string& other_memory() const { return other_memory_; }
  // After everything else that writes to objects is in `graft`.
  void Write(checkpoint::ProcessGraft& graft, Account& account, MergePlan& plan) const;

 private:
  struct Taken {
    Range<Addr> from;  // where the live process has the value
    Addr to;           // where the new version has it: may be a placeholder
    std::vector<std::byte> bytes;
  };

  std::vector<Taken> taken_;
  std::set<Addr> pointers_;
  std::string other_memory_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_HEAP_MERGE_H_
