// Carries out a recipe on one value.
#ifndef MCR_MUTATOR_TRANSFORM_APPLY_H_
#define MCR_MUTATOR_TRANSFORM_APPLY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "mcr/base/result.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

// A word of a value that points somewhere, or may. Numbers are asked about where they are aligned.
struct ValueWord {
  uint64_t from = 0, to = 0;  // its offsets in the old and in the new value
  uint64_t word = 0;          // what it holds, without tag bits
  TypeId pointee = 0;         // as the old type says; 0: `void`, or nobody knows
  enum class Meaning {
    kPointer,
    kLikely,  // nobody knows
    kNumber,  // it is none, says its type: to be left as it is, or to be refused
    kNew,     // a file address of the new version, which no old value had
  };
  Meaning meaning = Meaning::kPointer;
};
using TranslateWord = std::function<Result<uint64_t>(const ValueWord&)>;

// Whether nobody has touched these bytes of the old value since its start, so that the new one may
// keep there what `to` holds.
using LeftAlone = std::function<bool(uint64_t from, uint64_t size)>;

// `to` holds what the new value is to be where the old one says nothing. Fails if a number does not
// fit, an enumerator or a union's member is unknown, a word cannot be translated, or a field became
// something else and is not said to be untouched. `from` and `to` may be longer than the value:
// what follows is a flexible array.
Status Apply(const Recipe& recipe, std::span<const std::byte> from, std::span<std::byte> to,
             const TranslateWord& translate, const LeftAlone& untouched = {});

// `count` values one after the other, as Apply does each.
Status ApplyAll(const Recipe& recipe, uint64_t count, std::span<const std::byte> from,
                std::span<std::byte> to, const TranslateWord& translate);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_TRANSFORM_APPLY_H_
