// The objects of a live process that have a type: found from its variables along typed pointers
// (precise tracing), and what was met on the way without one.
//
// What an allocation holds is said by the pointers that reach it, a virtual table in it, an
// annotation, or, where a pointer points into it, by the only type that has such a member there. Of
// memory that is only ever a `void *`, nothing is known.
#ifndef MCR_MUTATOR_GRAPH_OBJECT_GRAPH_H_
#define MCR_MUTATOR_GRAPH_OBJECT_GRAPH_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

// An allocation, all of it: `count` values that begin at its begin, or one with a flexible array.
struct Object {
  Range<Addr> memory;  // what the allocator gave: malloc_usable_size(3) bytes
  const Recipe* recipe = nullptr;
  uint64_t count = 1;  // of a small type that malloc rounds up, the most that there may be
  const std::string* found_by = nullptr;  // "`head`", "`item.next`"; lives with the graph
};

struct UntypedObject {
  Range<Addr> memory;
  const std::string* found_by =
      nullptr;           // the `void *` or the memory without types that points to it
  bool precise = false;  // by a field or variable that is a pointer, not by a word that may be one
};

struct ObjectGraph {
  std::vector<Object> objects;         // by address
  std::vector<UntypedObject> untyped;  // by address
  // Evidence that contradicts itself, and types that cannot be told, where the update depends on
  // it.
  std::vector<std::string> problems;
  std::deque<std::string> labels;  // what `found_by` points to

  const Object* Find(Addr at) const;  // the one whose memory holds `at`
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_OBJECT_GRAPH_H_
