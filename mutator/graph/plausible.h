// Whether memory could be a value of a type: for memory of which nothing says what it is.
#ifndef MCR_MUTATOR_GRAPH_PLAUSIBLE_H_
#define MCR_MUTATOR_GRAPH_PLAUSIBLE_H_

#include <cstddef>
#include <span>

#include "mcr/base/mapping.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

// Its pointers point to memory, or nowhere; where an annotation says how many values are there, to
// that much of it.
bool IsPlausible(const Recipe& recipe, std::span<const std::byte> value, const Mappings& mappings,
                 const RecipeBook& recipes);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_PLAUSIBLE_H_
