// What the type of an object says about one of its words.
#ifndef MCR_MUTATOR_MERGE_LEAF_H_
#define MCR_MUTATOR_MERGE_LEAF_H_

#include <cstdint>
#include <optional>

#include "mutator/graph/object_graph.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

struct Leaf {
  enum class Kind {
    kUnknown,
    kNumber,
    kPointer,
    kCopied,  // an annotation says that it stays, whatever it is
  };
  Kind kind = Kind::kUnknown;
  TypeId pointee = 0;     // kPointer
  uint64_t tag_mask = 0;  // kPointer
  // kPointer, behind an array's last element: from here to the pointer to the first, in bytes.
  std::optional<int64_t> first = {};
};

// At an offset of a value, or of the first of several.
Leaf LeafIn(const Recipe& recipe, uint64_t offset);
// `at` is in the object's memory.
Leaf LeafAt(const Object& object, Addr at);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LEAF_H_
