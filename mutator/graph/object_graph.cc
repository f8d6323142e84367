#include "mutator/graph/object_graph.h"

#include <algorithm>

namespace mcr::mutator {

const Object* ObjectGraph::Find(Addr at) const {
  const auto after = std::ranges::upper_bound(
      objects, at, {}, [](const Object& object) { return object.memory.begin(); });
  if (after == objects.begin()) return nullptr;
  const Object& object = *std::prev(after);
  return object.memory.Contains(at) ? &object : nullptr;
}

bool ObjectGraph::IsUnused(Addr at) const {
  const auto after = std::ranges::upper_bound(unused, at, {}, &Range<Addr>::begin);
  return after != unused.begin() && std::prev(after)->Contains(at);
}

}  // namespace mcr::mutator
