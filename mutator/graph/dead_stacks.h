// Memory below the stack pointers of threads: what earlier calls have left there says nothing of
// the present, and nobody reads it.
#ifndef MCR_MUTATOR_GRAPH_DEAD_STACKS_H_
#define MCR_MUTATOR_GRAPH_DEAD_STACKS_H_

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

class DeadStacks {
 public:
  // Of the threads whose registers are known. A stack that lies in memory of malloc's is left out:
  // what is below it there is others'.
  explicit DeadStacks(const checkpoint::ProcessImage& image);

  // Whether all of the word at `at` is such memory.
  bool HoldWord(Addr at) const;

 private:
  std::vector<Range<Addr>> ranges_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_DEAD_STACKS_H_
