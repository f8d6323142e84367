#include "mutator/graph/allocation_types.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mcr::mutator {
namespace {

class AllocationTypesTest : public testing::Test {
 protected:
  TypeId Number(TypeTable& types) {
    return types.Add({.kind = TypeKind::kInteger, .name = "long", .size = 8, .is_signed = true});
  }
  // The same in both versions, but for a type that is called "changed".
  TypeId Record(const std::string& name, uint64_t size, const std::vector<Member>& members) {
    const bool changed = name == "changed";
    after_.Add({.kind = TypeKind::kStruct,
                .name = name,
                .size = changed ? size + 8 : size,
                .members = members});
    return before_.Add({.kind = TypeKind::kStruct, .name = name, .size = size, .members = members});
  }
  static HeapChunk Chunk(uint64_t size, bool mmapped = false) {
    return {*Range<Addr>::FromSize(Addr(0x1000), size), true, mmapped};
  }

  TypeTable before_, after_;
  const TypeId long_ = Number(before_), new_long_ = Number(after_);
};

TEST_F(AllocationTypesTest, CountIsTheFewestThatMakeABlockOfThatSize) {
  EXPECT_EQ(CountThatFits(24, 24, false), 1u);
  EXPECT_EQ(CountThatFits(24, 8, false), 1u);
  EXPECT_EQ(CountThatFits(1032, 16, false), 64u);
  EXPECT_EQ(CountThatFits(56, 40, false), 1u);  // with what was left of a block that was split
  EXPECT_EQ(CountThatFits(104, 40, false), 2u);
  EXPECT_EQ(CountThatFits(72, 40, false), 0u);
  EXPECT_EQ(CountThatFits(100, 10, true), 10u);
  EXPECT_EQ(CountThatFits(8, 16, false), 0u);
}

TEST_F(AllocationTypesTest, PointerToTheStartIsToTheTypeIfItFits) {
  const TypeId changed = Record("changed", 40, {{"x", long_, 0}});
  ContainerIndex containers(before_);
  RecipeBook recipes(before_, after_, {});
  AllocationTypes types(containers, recipes);
  EXPECT_EQ(types.AtStart(Chunk(40), changed).types, std::vector<TypeId>{changed});
  EXPECT_TRUE(types.AtStart(Chunk(40), changed).matters);
  EXPECT_EQ(types.AtStart(Chunk(56), changed).types.size(), 1u);  // 16 bytes too many
  EXPECT_TRUE(types.AtStart(Chunk(72), changed).types.empty());
}

TEST_F(AllocationTypesTest, PointerToTheFirstMemberIsToTheStructOfThatSize) {
  const TypeId inner = Record("inner", 16, {{"a", long_, 0}, {"b", long_, 8}});
  const TypeId outer = Record("outer", 120, {{"in", inner, 0}, {"c", long_, 16}});
  Record("larger", 200, {{"in", inner, 0}});
  ContainerIndex containers(before_);
  RecipeBook recipes(before_, after_, {});
  AllocationTypes types(containers, recipes);
  EXPECT_EQ(types.Inside(Chunk(120), 0, inner).types, std::vector<TypeId>{outer});
  EXPECT_EQ(types.Inside(Chunk(120), 16, long_).types, std::vector<TypeId>{outer});
  EXPECT_FALSE(types.Inside(Chunk(120), 16, long_).matters);
}

TEST_F(AllocationTypesTest, TwoDerivedClassesOfOneSizeAreNotTold) {
  const TypeId base = Record("base", 8, {{"x", long_, 0}});
  Record("changed", 40, {{"base", base, 0}, {"y", long_, 8}});
  Record("other", 40, {{"base", base, 0}, {"z", long_, 16}});
  ContainerIndex containers(before_);
  RecipeBook recipes(before_, after_, {});
  AllocationTypes types(containers, recipes);
  EXPECT_EQ(types.AtStart(Chunk(40), base).types.size(), 2u);
  EXPECT_TRUE(types.AtStart(Chunk(40), base).matters);
}

}  // namespace
}  // namespace mcr::mutator
