// Equality of types with cycles is decided by partition refinement: every node starts with a hash
// of what it says itself; then each is hashed again with its neighbours' hashes until no class
// splits any more.
#include <algorithm>
#include <bit>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>

#include "mutator/debuginfo/string_types.h"
#include "mutator/debuginfo/type_graph.h"
#include "mutator/debuginfo/type_nesting.h"

namespace mcr::mutator {
namespace {

using Hashes = std::vector<uint64_t>;

constexpr int kMostRounds = kDeepestNesting;

uint64_t Mix(uint64_t hash, uint64_t value) {
  // Turned, so that what is mixed with itself (a pointer to a pointer) is not the same for all.
  hash = (std::rotl(hash, 23) ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 29);
}

uint64_t Mix(uint64_t hash, std::string_view text) {
  return Mix(hash, std::hash<std::string_view>()(text));
}

bool IsTagged(const TypeGraph::Node& node) {
  return node.kind == TypeKind::kStruct || node.kind == TypeKind::kUnion ||
         node.kind == TypeKind::kEnum;
}

uint64_t NameHash(const TypeGraph::Node& node) {
  return Mix(Mix(0x5bd1e995, static_cast<uint64_t>(node.kind)), node.name);
}

size_t CountClasses(Hashes hashes) {
  std::ranges::sort(hashes);
  return std::unique(hashes.begin(), hashes.end()) - hashes.begin();
}

class TypeMerger {
 public:
  explicit TypeMerger(const TypeGraph& graph) : graph_(graph), hashes_(graph.nodes.size()) {
    redirect_.resize(graph.nodes.size());
    for (NodeId id = 0; id < redirect_.size(); ++id) redirect_[id] = id;
  }

  Result<MergedTypes> Merge() {
    for (NodeId id = 0; id < hashes_.size(); ++id) hashes_[id] = OwnHash(graph_.nodes[id]);
    // Units differ in which of the types that they only point to they complete. So first see
    // pointees by name only; that tells which definitions are the same, and so what each
    // declaration stands for.
    Refine(/*pointees_by_name=*/true);
    CompleteDeclarations();
    Refine(/*pointees_by_name=*/false);
    MergedTypes merged = Emit();
    if (const auto type = FindBottomless(merged.types)) {
      return Fail("a type contains itself, or others without end", merged.types.Describe(*type));
    }
    return merged;
  }

 private:
  std::span<const TypeGraph::Edge> EdgesOf(const TypeGraph::Node& node) const {
    return std::span(graph_.edges).subspan(node.first_edge, node.edge_count);
  }
  std::span<const TypeGraph::Constant> ConstantsOf(const TypeGraph::Node& node) const {
    return std::span(graph_.constants).subspan(node.first_constant, node.constant_count);
  }

  uint64_t OwnHash(const TypeGraph::Node& node) const {
    uint64_t hash = NameHash(node);
    hash = Mix(Mix(hash, node.size), node.count);
    hash = Mix(hash, node.is_signed * 2 + node.is_declaration);
    for (const auto& edge : EdgesOf(node)) {
      hash = Mix(Mix(hash, edge.name), edge.offset);
      hash = Mix(hash, (uint64_t{edge.bit_offset} << 32) | edge.bit_size);
    }
    for (const auto& constant : ConstantsOf(node)) {
      hash = Mix(Mix(hash, constant.name), static_cast<uint64_t>(constant.value));
    }
    return hash;
  }

  uint64_t NextHash(NodeId id, bool pointees_by_name) const {
    const TypeGraph::Node& node = graph_.nodes[id];
    const TypeGraph::Node& target = graph_.nodes[node.target];
    uint64_t hash = hashes_[id];
    if (pointees_by_name && node.kind == TypeKind::kPointer && IsTagged(target) &&
        !target.name.empty()) {
      hash = Mix(hash, NameHash(target));
    } else {
      hash = Mix(hash, hashes_[redirect_[node.target]]);
    }
    for (const auto& edge : EdgesOf(node)) hash = Mix(hash, hashes_[redirect_[edge.target]]);
    return hash;
  }

  void Refine(bool pointees_by_name) {
    size_t classes = CountClasses(hashes_);
    Hashes next(hashes_.size());
    for (int round = 0; round < kMostRounds; ++round) {
      for (NodeId id = 0; id < next.size(); ++id) next[id] = NextHash(id, pointees_by_name);
      hashes_.swap(next);
      const size_t refined = CountClasses(hashes_);
      if (refined == classes) return;
      classes = refined;
    }
  }

  void CompleteDeclarations() {
    struct Definition {
      NodeId node = 0;
      bool unique = true;
    };
    std::unordered_map<uint64_t, Definition> definitions;  // by NameHash
    for (NodeId id = 1; id < graph_.nodes.size(); ++id) {
      const TypeGraph::Node& node = graph_.nodes[id];
      if (!IsTagged(node) || node.is_declaration || node.name.empty()) continue;
      Definition& known = definitions[NameHash(node)];
      if (known.node == 0) {
        known.node = id;
      } else if (hashes_[known.node] != hashes_[id]) {
        known.unique = false;
      }
    }
    for (NodeId id = 1; id < graph_.nodes.size(); ++id) {
      if (!graph_.nodes[id].is_declaration) continue;
      const auto found = definitions.find(NameHash(graph_.nodes[id]));
      if (found != definitions.end() && found->second.unique) redirect_[id] = found->second.node;
    }
  }

  MergedTypes Emit() {
    MergedTypes merged;
    merged.ids.resize(graph_.nodes.size());
    std::unordered_map<uint64_t, TypeId> by_hash;
    std::vector<NodeId> representatives;
    for (NodeId id = 1; id < graph_.nodes.size(); ++id) {
      if (redirect_[id] != id) continue;
      const auto [found, is_new] =
          by_hash.try_emplace(hashes_[id], static_cast<TypeId>(representatives.size() + 1));
      if (is_new) representatives.push_back(id);
      merged.ids[id] = found->second;
    }
    for (NodeId id = 1; id < graph_.nodes.size(); ++id) merged.ids[id] = merged.ids[redirect_[id]];
    for (const NodeId id : representatives) merged.types.Add(Translate(id, merged.ids));
    for (const auto& [name, target] : graph_.typedefs) {
      merged.types.AddTypedef(merged.ids[target], name);
    }
    SizeArrays(merged.types);
    CompleteStrings(merged.types);
    return merged;
  }

  Type Translate(NodeId id, const std::vector<TypeId>& ids) const {
    const TypeGraph::Node& node = graph_.nodes[id];
    Type type{.kind = node.kind,
              .name = std::string(node.name),
              .size = node.size,
              .is_signed = node.is_signed,
              .is_declaration = node.is_declaration,
              .target = ids[node.target],
              .count = node.count};
    for (const auto& edge : EdgesOf(node)) {
      if (node.kind == TypeKind::kFunction) {
        type.parameters.push_back(ids[edge.target]);
      } else {
        type.members.push_back(Member{.name = std::string(edge.name),
                                      .type = ids[edge.target],
                                      .offset = edge.offset,
                                      .bit_offset = edge.bit_offset,
                                      .bit_size = edge.bit_size});
      }
    }
    for (const auto& constant : ConstantsOf(node)) {
      type.enumerators.push_back({std::string(constant.name), constant.value});
    }
    return type;
  }

  // An array's size is not in the DWARF. Elements may be arrays that come later in the table.
  static void SizeArrays(TypeTable& types) {
    for (TypeId id = 1; id < types.size(); ++id) {
      std::vector<TypeId> chain;
      TypeId at = id;
      while (types[at].kind == TypeKind::kArray && types[at].size == 0 &&
             chain.size() < kMostRounds) {
        chain.push_back(at);
        at = types[at].target;
      }
      for (; !chain.empty(); chain.pop_back()) {
        Type& array = types.Edit(chain.back());
        uint64_t size = 0;
        if (!__builtin_mul_overflow(array.count, types[array.target].size, &size)) {
          array.size = size;
        }
      }
    }
  }

  const TypeGraph& graph_;
  Hashes hashes_;
  std::vector<NodeId> redirect_;  // a declaration to its definition, everything else to itself
};

}  // namespace

Result<MergedTypes> MergeTypes(const TypeGraph& graph) { return TypeMerger(graph).Merge(); }

}  // namespace mcr::mutator
