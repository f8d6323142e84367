#include "mutator/graph/node_types.h"

#include <gtest/gtest.h>

#include <string>

namespace mcr::mutator {
namespace {

class NodeTypesTest : public testing::Test {
 protected:
  TypeId Add(const std::string& name) {
    return types_.Add({.kind = TypeKind::kStruct, .name = name, .size = 8});
  }
  TypeTable types_;
};

TEST_F(NodeTypesTest, TreesNameTheValuesOfTheirNodes) {
  const TypeId base = Add("std::_Rb_tree_node_base");
  const TypeId header = Add("std::_Rb_tree_header");
  const TypeId tree = Add(
      "std::_Rb_tree<int, std::pair<int const, Item>, std::_Select1st<std::pair<int const, Item> >,"
      " std::less<int>, std::allocator<std::pair<int const, Item> > >");
  const TypeId node = Add("std::_Rb_tree_node<std::pair<int const, Item> >");
  const TypeId other = Add("std::_Rb_tree_node<std::pair<int const, int> >");
  const TypeId user = Add("Item");
  const NodeTypes nodes(types_);
  EXPECT_EQ(nodes.Of(tree, 0), node);
  EXPECT_EQ(nodes.Of(header, node), node);
  EXPECT_EQ(nodes.Of(base, node), node);
  EXPECT_EQ(nodes.Of(other, node), other);
  EXPECT_EQ(nodes.Of(user, node), 0u);  // what a node holds may link to nodes of another container
  EXPECT_TRUE(nodes.IsBase(base));
  EXPECT_FALSE(nodes.IsBase(header));
}

TEST_F(NodeTypesTest, HashTablesHaveOneOfTwoNodes) {
  const TypeId table = Add("std::_Hashtable<int, std::pair<const int, A>, X>");
  const TypeId both = Add("std::_Hashtable<int, B, X>");
  const TypeId node = Add("std::__detail::_Hash_node<std::pair<const int, A>, false>");
  Add("std::__detail::_Hash_node<B, false>");
  Add("std::__detail::_Hash_node<B, true>");
  const NodeTypes nodes(types_);
  EXPECT_EQ(nodes.Of(table, 0), node);
  EXPECT_EQ(nodes.Of(both, 0), 0u);
}

TEST_F(NodeTypesTest, ClassesOfAContainerAreNotTheContainer) {
  Add("std::_List_node<A>");
  const TypeId list = Add("std::__cxx11::_List_base<A, std::allocator<A> >");
  const TypeId inner = Add("std::__cxx11::_List_base<A, std::allocator<A> >::_List_impl");
  const NodeTypes nodes(types_);
  EXPECT_NE(nodes.Of(list, 0), 0u);
  EXPECT_EQ(nodes.Of(inner, 0), 0u);
  EXPECT_EQ(nodes.Of(inner, nodes.Of(list, 0)), nodes.Of(list, 0));
}

}  // namespace
}  // namespace mcr::mutator
