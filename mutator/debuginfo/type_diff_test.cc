#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {
namespace {

// A table with `int` as 1, `long` as 2 and `char` as 3.
struct Version {
  TypeTable types;
  Version() {
    types.Add({.kind = TypeKind::kInteger, .name = "int", .size = 4, .is_signed = true});
    types.Add({.kind = TypeKind::kInteger, .name = "long", .size = 8, .is_signed = true});
    types.Add({.kind = TypeKind::kInteger, .name = "char", .size = 1, .is_signed = true});
  }
  TypeId Struct(std::string name, uint64_t size, std::vector<Member> members) {
    return types.Add({.kind = TypeKind::kStruct,
                      .name = std::move(name),
                      .size = size,
                      .members = std::move(members)});
  }
  TypeId Pointer(TypeId target) {
    return types.Add({.kind = TypeKind::kPointer, .size = 8, .target = target});
  }
};

constexpr TypeId kInt = 1;
constexpr TypeId kLong = 2;
constexpr TypeId kChar = 3;

class TypeDiffTest : public testing::Test {
 protected:
  std::string Difference(TypeId a, TypeId b) const {
    return LayoutDifference(before_.types, a, after_.types, b).value_or("");
  }
  Version before_, after_;
};

TEST_F(TypeDiffTest, SameLayoutIsNoDifference) {
  const TypeId a = before_.Struct("s", 8, {{"x", kInt, 0}, {"y", kInt, 4}});
  const TypeId b = after_.Struct("s", 8, {{"x", kInt, 0}, {"y", kInt, 4}});
  EXPECT_EQ(Difference(a, b), "");
  EXPECT_TRUE(DiffTypes(before_.types, after_.types).empty());
}

TEST_F(TypeDiffTest, MovedFieldIsNamed) {
  const TypeId a = before_.Struct("s", 8, {{"x", kInt, 0}, {"y", kInt, 4}});
  const TypeId b = after_.Struct("s", 8, {{"y", kInt, 0}, {"x", kInt, 4}});
  EXPECT_EQ(Difference(a, b), "field `x` moved from 0 to 4");
}

TEST_F(TypeDiffTest, AddedAndRemovedFieldsAreNamed) {
  const TypeId a = before_.Struct("s", 8, {{"x", kInt, 0}, {"y", kInt, 4}});
  const TypeId b = after_.Struct("s", 8, {{"x", kInt, 0}});
  EXPECT_EQ(Difference(a, b), "field `y` was removed");
  EXPECT_EQ(LayoutDifference(after_.types, b, before_.types, a), "field `y` was added");
}

TEST_F(TypeDiffTest, SizeAndInnerStructsAreCompared) {
  const TypeId inner_a = before_.Struct("inner", 4, {{"v", kInt, 0}});
  const TypeId inner_b = after_.Struct("inner", 8, {{"v", kLong, 0}});
  const TypeId a = before_.Struct("s", 4, {{"in", inner_a, 0}});
  const TypeId b = after_.Struct("s", 8, {{"in", inner_b, 0}});
  EXPECT_EQ(Difference(a, b),
            "size 4 became 8: field `in`: size 4 became 8: field `v`: int became long");
  EXPECT_EQ(DiffTypes(before_.types, after_.types).size(), 2u);
}

TEST_F(TypeDiffTest, PointeesCountByName) {
  const TypeId a = before_.Struct("s", 4, {{"v", kInt, 0}});
  const TypeId b = after_.Struct("s", 8, {{"v", kLong, 0}});
  const TypeId other = after_.Struct("t", 4, {{"v", kInt, 0}});
  EXPECT_EQ(Difference(before_.Pointer(a), after_.Pointer(b)), "");
  EXPECT_EQ(Difference(before_.Pointer(a), after_.Pointer(other)), "struct s * became struct t *");
  EXPECT_EQ(Difference(before_.Pointer(kInt), after_.Pointer(kChar)), "int * became char *");
}

TEST_F(TypeDiffTest, StructThatGotATagIsStillKnownByItsTypedef) {
  before_.Struct("elt_t", 4, {{"v", kInt, 0}});
  after_.types.AddTypedef(after_.Struct("elt_s", 8, {{"v", kInt, 0}, {"w", kInt, 4}}), "elt_t");
  const auto changes = DiffTypes(before_.types, after_.types);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].difference, "size 4 became 8: field `w` was added");
}

TEST_F(TypeDiffTest, BitFieldsAreComparedByBits) {
  const TypeId a = before_.Struct("s", 4, {{"x", kInt, 0, 0, 1}, {"y", kInt, 0, 1, 1}});
  const TypeId b = after_.Struct("s", 4, {{"x", kInt, 0, 0, 1}, {"y", kInt, 0, 2, 1}});
  EXPECT_EQ(Difference(a, b), "field `y`: first bit 1 became 2");
}

TEST_F(TypeDiffTest, EnumeratorsKeepTheirValues) {
  Type old{.kind = TypeKind::kEnum, .name = "e", .size = 4, .enumerators = {{"A", 0}, {"B", 1}}};
  Type now = old;
  now.enumerators = {{"A", 0}, {"N", 1}, {"B", 2}};
  const TypeId a = before_.types.Add(old);
  EXPECT_EQ(Difference(a, after_.types.Add(now)), "enumerator `B`: 1 became 2");
  now.enumerators = {{"A", 0}, {"B", 1}, {"N", 2}};
  EXPECT_EQ(Difference(a, after_.types.Add(now)), "");
}

TEST_F(TypeDiffTest, CyclesEnd) {
  const TypeId a = before_.Struct("", 8, {});
  before_.types.Edit(a).members = {{"self", before_.Pointer(a), 0}};
  const TypeId b = after_.Struct("", 8, {});
  after_.types.Edit(b).members = {{"self", after_.Pointer(b), 0}};
  EXPECT_EQ(Difference(a, b), "");
}

TEST_F(TypeDiffTest, OneOfSeveralDefinitionsIsEnough) {
  before_.Struct("s", 4, {{"v", kInt, 0}});
  after_.Struct("s", 8, {{"v", kLong, 0}});
  after_.Struct("s", 4, {{"v", kInt, 0}});
  EXPECT_TRUE(DiffTypes(before_.types, after_.types).empty());
}

}  // namespace
}  // namespace mcr::mutator
