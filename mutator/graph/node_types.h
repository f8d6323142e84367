// Nodes of the C++ library's containers (libstdc++): the pointers between them are to a base class
// that all containers' nodes have, but the name of the container says which nodes are in it.
#ifndef MCR_MUTATOR_GRAPH_NODE_TYPES_H_
#define MCR_MUTATOR_GRAPH_NODE_TYPES_H_

#include <string_view>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

class NodeTypes {
 public:
  // `types` outlives this.
  explicit NodeTypes(const TypeTable& types);

  // What pointers to a node's base point to that a value of type `part` holds itself: nodes of this
  // type. `around`: the answer for the value that `part` is a member of. 0: nobody knows.
  TypeId Of(TypeId part, TypeId around) const { return roles_[part].Node(around); }
  bool IsBase(TypeId type) const { return roles_[type].is_base; }

 private:
  struct Role {
    TypeId node = 0;        // of a container, or of a node: the nodes that are linked
    bool is_inner = false;  // a part of one that holds its links
    bool is_base = false;
    TypeId Node(TypeId around) const { return node != 0 ? node : is_inner ? around : 0; }
  };
  Role RoleOf(std::string_view name) const;

  const TypeTable& types_;
  std::vector<Role> roles_;  // by type
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_NODE_TYPES_H_
