// How a value of an old type becomes one of a new type: fields by name, integers by value,
// enumerators by name (DESIGN §4, "Transform").
#ifndef MCR_MUTATOR_TRANSFORM_RECIPE_H_
#define MCR_MUTATOR_TRANSFORM_RECIPE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct Recipe;

// One field, or a run of them. Offsets and sizes are bytes, from the start of the value.
struct Step {
  enum class Kind : uint8_t {
    kBytes,    // as they are: no pointers in them
    kOpaque,   // as they are, but nobody knows what they mean (unions): likely pointers
    kInteger,  // by value
    kFloat,
    kEnum,      // by enumerator
    kSize,      // of an array's elements, as a number: follows their type
    kPointer,   // the word is translated
    kBits,      // an integer in a bit-field
    kText,      // an array of characters that became shorter: keeps its terminating zero
    kNested,    // `count` values, each by `element`
    kUnion,     // one of `members`, as the integer at `discriminator` says
    kConstant,  // what an annotation says that a new field begins with
    kFunction,  // the same, the address of a function of the new version
    kZero,      // not carried over: zero, or it cannot be done
    kElse,      // something else in the new version: only its start can say what is there
  };
  Kind kind = Kind::kBytes;
  uint64_t from = 0, to = 0;
  uint64_t from_size = 0, to_size = 0;          // of one value; arrays: of one element
  uint32_t from_bit = 0, to_bit = 0;            // kBits: behind from, to
  uint32_t from_bits = 0, to_bits = 0;          // kBits
  bool from_signed = false, to_signed = false;  // kInteger, kBits
  TypeId before = 0, after = 0;                 // of the value; kPointer: of what it points to
  uint64_t tag_mask = 0;                        // kPointer: bits that are no part of the address
  std::optional<uint64_t> first;                // kPointer, behind an array's last element: the
                                                // offset of the one to the first
  bool copied = false;                          // kBytes: as an annotation says, whatever it is
  const Recipe* element = nullptr;              // kNested
  uint64_t count = 1;                           // kNested: elements that both versions have
  std::map<int64_t, int64_t> enumerators;       // kEnum, kSize: old value, new value
  std::map<int64_t, const Recipe*> members;     // kUnion
  uint64_t discriminator = 0;                   // kUnion: its offset in the old value
  uint64_t discriminator_size = 0;              // kUnion: bytes
  int64_t constant = 0;                         // kConstant; kFunction: its file address
  std::string field;                            // for messages
  std::string reason;  // kElse, kEnum, kZero: why a value is not carried over

  uint64_t from_end() const { return from + count * from_size; }
};

// An array at the end of a struct whose type does not say how many elements it has.
struct FlexibleArray {
  uint64_t from = 0, to = 0;
  const Recipe* element = nullptr;
};

struct Recipe {
  TypeId before = 0, after = 0;
  uint64_t from_size = 0, to_size = 0;
  std::vector<Step> steps;  // by `from`
  std::optional<FlexibleArray> flexible;
  bool identity = false;      // the same bytes, but for what pointers are translated to
  bool has_pointers = false;  // or words of which nobody knows
  std::string indexed;  // an array whose elements go elsewhere: the annotation's field; "": none
  std::vector<std::string> dropped;  // fields that only the old type has
  std::vector<std::string> added;    // fields that only the new type has
  std::string problem;  // why it cannot be done, with the annotation that would help; "": it can
};

// Where a pointer into an old value points to in the new one. `wanted` is the type that is pointed
// to there, 0 if nobody knows: then the outermost object that begins there is meant. nullopt: what
// is there is not in the new type. One past the end becomes one past the end.
std::optional<uint64_t> MapOffset(const Recipe& recipe, uint64_t offset, TypeId wanted = 0);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_TRANSFORM_RECIPE_H_
