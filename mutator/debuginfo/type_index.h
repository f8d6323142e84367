// The types of a program by what they are called: for types that come from another reading of the
// same debug information, with a table of their own.
#ifndef MCR_MUTATOR_DEBUGINFO_TYPE_INDEX_H_
#define MCR_MUTATOR_DEBUGINFO_TYPE_INDEX_H_

#include <string>
#include <unordered_map>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

class TypeIndex {
 public:
  // `types` outlives the index.
  explicit TypeIndex(const TypeTable& types);

  // The type that is `id` in `other`. 0: none is called so, or what is called so is another.
  TypeId Find(const TypeTable& other, TypeId id) const;

 private:
  const TypeTable& types_;
  std::unordered_multimap<std::string, TypeId> by_description_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_TYPE_INDEX_H_
