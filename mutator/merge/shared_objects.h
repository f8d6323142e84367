// Whether an object of a changed type may be in memory that the process shares with others (DESIGN
// §4, "No silent guess"). No allocator of the C library's says where objects begin in there: where
// pointers lead to, they may.
#ifndef MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_
#define MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_

#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/graph/snapshot.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

// A problem for each type that may be there, where the server has changed something since its
// start. `types`: those that change and may be in allocated memory at all. `base`: nullptr if
// nothing is known of the start.
std::vector<std::string> FindInSharedMemory(const Snapshot& memory,
                                            const checkpoint::ProcessImage* base,
                                            RecipeBook& recipes, std::vector<TypeId> types);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_SHARED_OBJECTS_H_
