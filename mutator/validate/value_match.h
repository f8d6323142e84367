// Compares a value of the new state with the one that it was made from, field by field.
#ifndef MCR_MUTATOR_VALIDATE_VALUE_MATCH_H_
#define MCR_MUTATOR_VALIDATE_VALUE_MATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/layout_match.h"
#include "mutator/validate/word_match.h"

namespace mcr::mutator {

class ValueMatch {
 public:
  // All outlive this. `from_next`: what of the values is not compared (Account::from_next; sorted,
  // disjoint), where their holder says where they are.
  ValueMatch(const WordMatch& words, PointerGuard guard, const std::vector<Range<Addr>>& from_next,
             Findings& findings)
      : words_(words), guard_(guard), from_next_(from_next), findings_(findings) {}

  // What messages call a value: "variable `head`", "struct item" and its old address.
  struct Holder {
    const std::string& name;
    Addr at;  // null: the name says it all
  };

  // `owner`: whose types these are.
  void Compare(const VersionPair& owner, const LayoutMatch& layout,
               std::span<const std::byte> before, std::span<const std::byte> after,
               const Holder& holder);
  // Values without a type: as many bytes as both have.
  void CompareUntyped(std::span<const std::byte> before, std::span<const std::byte> after,
                      const Holder& holder);
  // A single word.
  void CompareWord(const WordVerdict& verdict, const Holder& holder);

 private:
  using Bytes = std::span<const std::byte>;

  void Begin(const VersionPair* owner, const Holder& holder, Bytes before);
  void Value(const LayoutMatch& layout, Bytes before, Bytes after);
  Addr PlaceOf(Bytes before) const {
    return holder_->at + static_cast<uint64_t>(before.data() - begin_);
  }
  std::span<const Range<Addr>> FromNext(Bytes before) const;
  bool IsFromNext(Bytes before) const;
  std::vector<std::byte> ButFromNext(Bytes before, Bytes after) const;
  void Field(const FieldMatch& field, Bytes before, Bytes after);
  void Nested(const FieldMatch& field, Bytes before, Bytes after);
  void Pointer(const FieldMatch& field, Bytes before, Bytes after);
  void Size(const FieldMatch& field, Bytes before, Bytes after);
  void Enumerators(const FieldMatch& field, Bytes before, Bytes after);
  void Cases(const FieldMatch& field, Bytes owner, Bytes before, Bytes after);
  void Words(Bytes before, Bytes after);
  // How many bytes from `at` on are right because a pointer that changed is among them; 0: none.
  size_t Retargeted(Bytes before, Bytes after, size_t at) const;
  bool IsSameWord(uint64_t before, uint64_t after);
  void Judge(const WordVerdict& verdict);
  void Differs(const std::string& was, const std::string& is);
  std::string Where() const;

  const WordMatch& words_;
  PointerGuard guard_;
  const std::vector<Range<Addr>>& from_next_;
  Findings& findings_;
  const std::byte* begin_ = nullptr;  // of the old value
  const VersionPair* owner_ = nullptr;
  const Holder* holder_ = nullptr;
  struct Step {
    const FieldMatch* field;
    uint64_t index;  // of an array's element
  };
  std::vector<Step> path_;
  struct SameWord {
    uint64_t before = 0, after = 0;
  };
  static constexpr unsigned kSameWordBits = 10;
  static constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;  // of 2^64: spreads neighbours
  // Some of those that were the same, by the old one.
  std::array<SameWord, size_t{1} << kSameWordBits> same_words_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_VALUE_MATCH_H_
