// Which types have a value of another type in them, and where.
#ifndef MCR_MUTATOR_GRAPH_CONTAINER_INDEX_H_
#define MCR_MUTATOR_GRAPH_CONTAINER_INDEX_H_

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

class ContainerIndex {
 public:
  explicit ContainerIndex(const TypeTable& types);

  // The structs that have a member of this type at this offset, at whatever depth.
  std::vector<TypeId> Containers(TypeId inner, uint64_t offset) const;
  // Whether a value of type `outer` has one of type `inner` at this offset: itself, a member, an
  // element.
  bool Holds(TypeId outer, TypeId inner, uint64_t offset) const;
  // The same by name, since several units may define one type.
  bool Same(TypeId a, TypeId b) const;
  // Classes that have `base` as their first base class, at whatever depth.
  bool DerivesFrom(TypeId type, TypeId base) const;

 private:
  const TypeTable& types_;
  std::unordered_map<TypeId, std::vector<TypeId>> direct_;  // by the member's type
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_CONTAINER_INDEX_H_
