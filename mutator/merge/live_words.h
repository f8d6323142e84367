// What a word of a live value becomes in the merged one: pointers into old modules name
// something in the new ones, pointers to objects of changed types follow them.
#ifndef MCR_MUTATOR_MERGE_LIVE_WORDS_H_
#define MCR_MUTATOR_MERGE_LIVE_WORDS_H_

#include <cstdint>

#include "mcr/base/result.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/stack/take_over.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {

class LiveWords {
 public:
  // All outlive this. `owner`: the module whose types the values are of. `stacks`: nullptr if
  // pointers into rebuilt stacks are somebody else's business.
  LiveWords(const ChangedModules& modules, const ObjectMoves& moves, const ChangedModule* owner,
            const StackTakeOver* stacks = nullptr)
      : modules_(modules), moves_(moves), owner_(owner), stacks_(stacks) {}

  // Fails if it points to what the new version does not have, and names that.
  Result<uint64_t> Translate(const ValueWord& word) const;

 private:
  static Result<uint64_t> IntoModule(const ChangedModule& module, const ValueWord& word);

  const ChangedModules& modules_;
  const ObjectMoves& moves_;
  const ChangedModule* owner_;
  const StackTakeOver* stacks_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LIVE_WORDS_H_
