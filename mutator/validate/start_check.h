// Whether a variable, or a value on the heap, holds what a start of the old version has left in it,
// so that the new version's start may say what it holds now.
#ifndef MCR_MUTATOR_VALIDATE_START_CHECK_H_
#define MCR_MUTATOR_VALIDATE_START_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/same_word.h"
#include "mutator/merge/account.h"
#include "mutator/validate/read_ahead.h"
#include "mutator/validate/version_pair.h"

namespace mcr::mutator {

// For one thread.
class StartCheck {
 public:
  // All outlive this. `base`: a start of the old version, which has `base_modules` loaded.
  StartCheck(const checkpoint::ProcessImage& base, const LoadedModules& base_modules,
             const checkpoint::ProcessImage& live);

  // Whether `value`, the live one of a variable at `at` of `module`, is for certain another one
  // than at the start.
  bool IsTouched(const VersionPair& versions, const Account::Module& module, FileAddr at,
                 std::span<const std::byte> value) const;
  // The same of a value on the heap, which a start leaves at the same distance from the heap's
  // begin.
  bool IsTouchedOnHeap(Addr at, std::span<const std::byte> value) const;

 private:
  const LoadedModule* InBase(const VersionPair& versions, const Account::Module& module) const;
  bool Differs(Addr in_base, std::span<const std::byte> value) const;
  // Whether a word that is not the same in both processes may yet name the same thing.
  bool MayBeSame(uint64_t live, uint64_t base) const;

  const checkpoint::ProcessImage& base_;
  const ReadAhead base_memory_;
  const checkpoint::ProcessImage& live_;
  const LoadedModules& base_modules_;
  LoadedModules live_modules_;
  const WordsOf live_words_, base_words_;
  mutable std::vector<std::byte> start_;  // of the value that is looked at
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_START_CHECK_H_
