// Whether an object of a changed type may be in memory that the process shares with others (DESIGN
// §4, "No silent guess"). No allocator of the C library's says where objects begin in there: where
// pointers lead to, they may.
#ifndef MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_
#define MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_

#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/graph/snapshot.h"
#include "mutator/merge/fresh_shared.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

// Of both versions; nullptr: not known.
struct Starts {
  const checkpoint::ProcessImage* base = nullptr;
  const checkpoint::ProcessImage* next = nullptr;
};

// A problem for each type that may be there, unless nobody has touched the memory since the old
// version's start, and the new one's leaves the same. `types`: those that change.
// What is `fresh` is left out. `program`: the old version, which the process has at `bias`.
std::vector<std::string> FindInSharedMemory(const Snapshot& memory, const Starts& starts,
                                            const Program& program, Addr bias, RecipeBook& recipes,
                                            std::vector<TypeId> types, const FreshShared& fresh);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_
