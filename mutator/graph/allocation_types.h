// Which types an allocation may be of, as its size and a pointer into it tell.
#ifndef MCR_MUTATOR_GRAPH_ALLOCATION_TYPES_H_
#define MCR_MUTATOR_GRAPH_ALLOCATION_TYPES_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "mutator/debuginfo/type_table.h"
#include "mutator/graph/container_index.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/transform/recipe.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

// Whether an allocation of this size may have been asked for to hold `count` values of `size`
// bytes: malloc rounds up. 0: no number of them.
uint64_t CountThatFits(uint64_t usable, uint64_t size, bool mmapped);

class AllocationTypes {
 public:
  // Both outlive this.
  AllocationTypes(const ContainerIndex& containers, RecipeBook& recipes)
      : containers_(containers), recipes_(recipes) {}

  struct Candidates {
    std::vector<TypeId> types;
    bool matters = false;  // one of them changes, or what is pointed to does
  };
  // To whose first byte a pointer to `pointee` points.
  const Candidates& AtStart(const HeapChunk& chunk, TypeId pointee);
  // To whose inside one does.
  Candidates Inside(const HeapChunk& chunk, uint64_t offset, TypeId pointee);

 private:
  Candidates FindAtStart(const HeapChunk& chunk, TypeId pointee);
  bool Fits(const Recipe& recipe, uint64_t usable) const;
  void AddNew(TypeId type, std::vector<TypeId>& types) const;

  const ContainerIndex& containers_;
  RecipeBook& recipes_;
  std::map<std::tuple<TypeId, uint64_t, bool>, Candidates> known_;  // by type and size
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_ALLOCATION_TYPES_H_
