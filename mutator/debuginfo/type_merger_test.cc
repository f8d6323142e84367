#include <gtest/gtest.h>

#include "mutator/debuginfo/type_graph.h"

namespace mcr::mutator {
namespace {

NodeId AddPointer(TypeGraph& graph, NodeId to) {
  graph.nodes.push_back({.kind = TypeKind::kPointer, .size = 8, .target = to});
  return static_cast<NodeId>(graph.nodes.size() - 1);
}

// `depth` pointers, the innermost one to `node`; returns the outermost.
NodeId AddPointers(TypeGraph& graph, NodeId node, int depth) {
  for (int i = 0; i < depth; ++i) node = AddPointer(graph, node);
  return node;
}

NodeId AddInteger(TypeGraph& graph, std::string_view name, uint64_t size) {
  graph.nodes.push_back({.kind = TypeKind::kInteger, .name = name, .size = size});
  return static_cast<NodeId>(graph.nodes.size() - 1);
}

int DepthOf(const TypeTable& types, TypeId at) {
  int depth = 0;
  for (; types[at].kind == TypeKind::kPointer && depth < 100; at = types[at].target) ++depth;
  return depth;
}

TEST(TypeMergerTest, PointersToPointersKeepTheirDepth) {
  for (const int depth : {1, 2, 3, 4, 5, 8, 20}) {
    TypeGraph graph;
    const NodeId to_nothing = AddPointers(graph, 0, depth);
    const NodeId to_number = AddPointers(graph, AddInteger(graph, "long", 8), depth);
    const auto merged = MergeTypes(graph);
    ASSERT_TRUE(merged) << depth;
    EXPECT_EQ(DepthOf(merged->types, merged->ids[to_nothing]), depth);
    EXPECT_EQ(DepthOf(merged->types, merged->ids[to_number]), depth);
    EXPECT_NE(merged->ids[to_nothing], merged->ids[to_number]);
  }
}

TEST(TypeMergerTest, EqualPointersOfTwoUnitsAreOne) {
  TypeGraph graph;
  const NodeId one = AddPointers(graph, 0, 4);
  const NodeId other = AddPointers(graph, 0, 4);
  const auto merged = MergeTypes(graph);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->ids[one], merged->ids[other]);
  EXPECT_EQ(merged->types.size(), 5U);
}

TEST(TypeMergerTest, ATypeWithoutAnEndIsNone) {
  TypeGraph graph;
  const NodeId pointer = AddPointer(graph, 0);
  graph.nodes[pointer].target = pointer;
  EXPECT_FALSE(MergeTypes(graph));
}

}  // namespace
}  // namespace mcr::mutator
