// Which part of a value of a new type is which part of one of the old type: found from the new
// type's fields, by name, which is the direction that validation goes (time-travelling state
// transfer, TTST). Shares nothing with the recipes that values are transformed by (recipe.h), so
// that an error there is not repeated here.
#ifndef MCR_MUTATOR_VALIDATE_LAYOUT_MATCH_H_
#define MCR_MUTATOR_VALIDATE_LAYOUT_MATCH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mutator/debuginfo/type_table.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

struct LayoutMatch;

// A field that both types have. Offsets and sizes are bytes, from the start of the value.
struct FieldMatch {
  enum class Kind : uint8_t {
    kBytes,    // the same bytes
    kInteger,  // the same number
    kFloat,
    kEnum,     // the same enumerator, which is another number
    kSize,     // of one of those types, old and new; or the same number
    kBits,     // the same number, in bits
    kText,     // the same characters, as many as both have room for
    kPointer,  // to the same thing
    kUntyped,  // the same bytes, or pointers to the same things (unions, member pointers)
    kNested,   // `count` values, each by `element`
    kCases,    // one of `cases`, as the old integer at `discriminator` says
  };
  Kind kind = Kind::kBytes;
  std::string name;  // for messages; "" for elements and unnamed members
  uint64_t before = 0, after = 0;
  uint64_t before_size = 0, after_size = 0;  // of one value
  uint32_t before_bit = 0, after_bit = 0;    // kBits: behind before, after
  uint32_t before_bits = 0, after_bits = 0;  // kBits
  bool before_signed = false, after_signed = false;
  TypeId before_type = 0, after_type = 0;  // kPointer: of what it points to
  uint64_t tag_mask = 0;                   // kPointer: bits that are no part of the address
  std::optional<uint64_t> first;           // kPointer, an array's end: the old offset of its begin
  const LayoutMatch* element = nullptr;    // kNested
  uint64_t count = 1;
  std::map<int64_t, const LayoutMatch*> cases;  // kCases
  uint64_t discriminator = 0, discriminator_size = 0;
};

struct LayoutMatch {
  TypeId before = 0, after = 0;
  uint64_t before_size = 0, after_size = 0;
  std::vector<FieldMatch> fields;
  // An array at the end whose type does not say how many elements it has; of `element`.
  std::optional<FieldMatch> flexible;
  bool same = false;  // no old value needs more than its pointers changed
};

// A place in a new value that a pointer into an old one may follow to.
struct PlaceMatch {
  uint64_t offset = 0;  // in the new value
  TypeId type = 0;      // of what begins there, in the old version; 0: it is an end
  bool inside = false;  // of a number or pointer, where nothing begins or ends
};

// Where a pointer to `offset` of an old value may point to in the new one: the start of each thing
// that begins there, the end of each that ends there. With a `pointee`, things of that type only if
// there is one.
std::vector<PlaceMatch> MatchPlace(const LayoutMatch& match, uint64_t offset, TypeId pointee);

class LayoutMatcher {
 public:
  // All outlive the matcher.
  LayoutMatcher(const TypeTable& before, const TypeTable& after,
                const profiles::Annotations& annotations)
      : before_(before), after_(after), annotations_(annotations) {}

  // Valid as long as the matcher. May be called by several threads.
  const LayoutMatch& Get(TypeId before, TypeId after) const;
  // Of a variable that annotations call `name`.
  const LayoutMatch& GetTagged(const profiles::TaggedPointer& annotation, TypeId before,
                               TypeId after) const;
  // Of an array of pointers whose elements have other places now: by the old one, the new one.
  const LayoutMatch& GetWords(TypeId before, TypeId after, uint64_t before_size,
                              uint64_t after_size, const std::map<uint64_t, uint64_t>& words) const;

  // What "3" or "CASE_CLOSED" is as a value of an old type.
  std::optional<int64_t> NumberOf(const Type& type, const std::string& text) const;

  const TypeTable& before() const { return before_; }
  const TypeTable& after() const { return after_; }
  const profiles::Annotations& annotations() const { return annotations_; }

 private:
  const LayoutMatch& Find(TypeId before, TypeId after) const;
  LayoutMatch Build(TypeId before, TypeId after) const;
  void AddRecord(LayoutMatch& match) const;
  bool HoldsSize(const Type& owner, const Member& member) const;
  void AddField(const Type& owner, const Member& before, const Member& after,
                LayoutMatch& match) const;
  void AddValue(TypeId before, TypeId after, FieldMatch field, LayoutMatch& match) const;
  void AddArray(const Type& before, const Type& after, FieldMatch field, LayoutMatch& match) const;
  bool AddAnnotated(const Type& owner, FieldMatch field, LayoutMatch& match) const;
  bool AddContainer(const Type& owner, const Member& before, const Member& after, FieldMatch field,
                    LayoutMatch& match) const;
  bool AddCases(const Type& owner, const Member& before, const Member& after, FieldMatch field,
                LayoutMatch& match) const;
  const Member* OldMember(const Type& before, const Type& after, const Member& wanted) const;

  const TypeTable& before_;
  const TypeTable& after_;
  const profiles::Annotations& annotations_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<TypeId, TypeId>, std::unique_ptr<LayoutMatch>> known_;
  mutable std::vector<std::unique_ptr<LayoutMatch>> made_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_LAYOUT_MATCH_H_
