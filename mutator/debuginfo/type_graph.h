// Types as the DWARF of each translation unit has them, before duplicates are merged.
//
// Nodes refer to each other by index, so cycles need no care. Names point into the DWARF sections
// or into the graph's own storage: a graph must not outlive the DWARFContext that it was read from.
#ifndef MCR_MUTATOR_DEBUGINFO_TYPE_GRAPH_H_
#define MCR_MUTATOR_DEBUGINFO_TYPE_GRAPH_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Index into a TypeGraph; 0 is `void`.
using NodeId = uint32_t;

struct TypeGraph {
  struct Edge {  // a member, or a function's parameter
    std::string_view name;
    NodeId target = 0;
    uint32_t bit_offset = 0;
    uint32_t bit_size = 0;
    uint64_t offset = 0;
  };
  struct Constant {  // an enumerator
    std::string_view name;
    int64_t value = 0;
  };
  struct Typedef {
    std::string_view name;
    NodeId target = 0;
  };
  struct Node {
    TypeKind kind = TypeKind::kVoid;
    bool is_signed = false;
    bool is_declaration = false;
    std::string_view name;
    uint64_t size = 0;
    uint64_t count = 0;
    NodeId target = 0;
    uint32_t first_edge = 0, edge_count = 0;
    uint32_t first_constant = 0, constant_count = 0;
  };

  std::vector<Node> nodes = {Node{}};
  std::vector<Edge> edges;
  std::vector<Constant> constants;
  std::vector<Typedef> typedefs;  // of structs, unions and enums
  std::deque<std::string> names;  // those that had to be put together
};

// Merges equal types, also where they refer to each other in cycles, and completes declarations by
// the program's only definition of that name. `ids` maps each NodeId to its TypeId in `types`.
// Fails if a type contains itself, or has no end to what it contains.
struct MergedTypes {
  TypeTable types;
  std::vector<TypeId> ids;
};
Result<MergedTypes> MergeTypes(const TypeGraph& graph);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_TYPE_GRAPH_H_
