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
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

// How a region gives out more memory: by a function of the old version, from the region at an
// address.
struct RegionCall {
  FileAddr allocate;
  Addr region;              // null: not known
  bool size_first = false;  // its arguments: the size and the region, or the other way round
  bool is_first = false;    // nothing else that it has given out ends where this begins
};

// An allocation, or a piece of a region, all of it: `count` values that begin at its begin, or one
// with a flexible array.
struct Object {
  Range<Addr> memory;  // malloc_usable_size(3) bytes; of a region's piece, what its type takes
  const Recipe* recipe = nullptr;
  uint64_t count = 1;  // of a small type that malloc rounds up, the most that there may be
  uint64_t spare = 0;  // of those, how many at the end have no value yet
  const std::string* found_by = nullptr;  // "`head`", "`item.next`"; lives with the graph
  std::optional<RegionCall> region = {};  // nullopt: malloc(3) gave it
};

struct UntypedObject {
  Range<Addr> memory;
  const std::string* found_by =
      nullptr;           // the `void *` or the memory without types that points to it
  bool precise = false;  // by a field or variable that is a pointer, not by a word that may be one
  bool in_region = false;  // begins there, and ends somewhere in `memory`
  bool foreign = false;    // a pointer to a type that the program has no definition of leads there
  // Where the pointers are that make it precise; null among them: somewhere else.
  std::vector<Addr> pointers = {};
};

struct GraphProblem {
  Addr at;  // the memory that it is about; null: none
  std::string text;
};

struct ObjectGraph {
  std::vector<Object> objects;         // by address
  std::vector<UntypedObject> untyped;  // by address
  std::vector<Range<Addr>> unused;     // of regions: behind what they have given out; by address
  // Evidence that contradicts itself, and types that cannot be told, where the update depends on
  // it.
  std::vector<GraphProblem> problems;
  std::deque<std::string> labels;  // what `found_by` points to

  const Object* Find(Addr at) const;  // the one whose memory holds `at`
  bool IsUnused(Addr at) const;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_OBJECT_GRAPH_H_
