// Arrays of pointers in which each element belongs to a variable that holds its index: the context
// of each module of a program, in each request (annotation: indexed).
//
// Which variable holds which index is known when the program runs: of the old version, in the live
// process, and of the new one, in its rehearsal.
#ifndef MCR_MUTATOR_GRAPH_INDEXED_ARRAYS_H_
#define MCR_MUTATOR_GRAPH_INDEXED_ARRAYS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/debuginfo/program.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

class IndexedArrays {
 public:
  // A version as it runs. `bias`: where its file address 0 is.
  struct Version {
    const Program& program;
    Addr bias;
    const MemoryReader& memory;
  };
  // Nothing of these is used later, except `recipes`, which outlives this and what it gives.
  IndexedArrays(const Version& before, const Version& after, RecipeBook& recipes);

  // How what the field `field` of `owner` points to becomes an array of the new version; nullptr:
  // no annotation speaks of it.
  const Recipe* At(const Type& owner, std::string_view field) const;

  // Annotations that say what is not so.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Array {
    uint64_t length = 0;
    std::map<uint64_t, std::string> names;  // of the variables, by index
  };
  std::optional<Array> Find(const profiles::Indexed& annotation, const Version& version,
                            const RecipeBook& recipes);
  void Make(const profiles::Indexed& annotation, const Array& before, const Array& after,
            RecipeBook& recipes);

  std::map<std::string, const Recipe*> recipes_;  // by field, as the annotation calls it
  std::vector<std::string> problems_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_INDEXED_ARRAYS_H_
