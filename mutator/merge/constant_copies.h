// For words of which nothing tells whether they point to a constant or are the end of a text
// (text_tail.h): both come true with a copy of the old version's constants a multiple of kPlaceStep
// away. The word's lower half, where the text would be, stays as it is, and its upper half leads to
// the copy.
#ifndef MCR_MUTATOR_MERGE_CONSTANT_COPIES_H_
#define MCR_MUTATOR_MERGE_CONSTANT_COPIES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/account.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/places.h"

namespace mcr::mutator {

// Of one process.
class ConstantCopies {
 public:
  // `places` outlives this. The copies lie below `limit`.
  ConstantCopies(Places& places, Addr limit) : places_(places), limit_(limit) {}

  // What a word that holds `target`, an address of the module's old version, is to hold. nullopt:
  // there is no constant, or it holds addresses, or no place is left.
  std::optional<uint64_t> Redirect(const ChangedModule& module, uint64_t target);

  // The copies that words were redirected to.
  void AddTo(checkpoint::ProcessGraft& graft, Account& account) const;

 private:
  struct Copy {
    const Section* section = nullptr;
    const Program* program = nullptr;
  };

  Places& places_;
  Addr limit_;
  std::map<Addr, Copy> copies_;  // by where they begin
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_CONSTANT_COPIES_H_
