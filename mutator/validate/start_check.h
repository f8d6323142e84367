// Whether a variable holds what a start of the old version has left in it, so that the new
// version's start may say what it holds now.
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
#include "mutator/merge/account.h"
#include "mutator/validate/version_pair.h"

namespace mcr::mutator {

class StartCheck {
 public:
  // `base`: a start of the old version; outlives this, as `live` need not.
  StartCheck(const checkpoint::ProcessImage& base, const checkpoint::ProcessImage& live);

  // Whether `value`, the live one of a variable at `at` of `module`, is as it was at the start.
  // False as well if that cannot be told.
  bool IsUntouched(const VersionPair& versions, const Account::Module& module, FileAddr at,
                   std::span<const std::byte> value) const;

 private:
  const LoadedModule* InBase(const VersionPair& versions, const Account::Module& module) const;
  // A word that names the same place of the same file in both processes.
  bool SamePlace(uint64_t live, uint64_t base) const;

  const checkpoint::ProcessImage& base_;
  LoadedModules base_modules_, live_modules_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_START_CHECK_H_
