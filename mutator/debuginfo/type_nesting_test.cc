#include "mutator/debuginfo/type_nesting.h"

#include <gtest/gtest.h>

namespace mcr::mutator {
namespace {

Type StructOf(TypeId member) {
  return Type{.kind = TypeKind::kStruct, .name = "s", .size = 8, .members = {{"m", member, 0}}};
}

// `levels` types, each of which contains the next; returns the outermost.
TypeId AddNest(TypeTable& types, int levels) {
  TypeId inner = types.Add({.kind = TypeKind::kInteger, .name = "long", .size = 8});
  for (int i = 1; i < levels; ++i) inner = types.Add(StructOf(inner));
  return inner;
}

TEST(TypeNestingTest, RealTypesEnd) {
  TypeTable types;
  const TypeId nested = AddNest(types, 30);
  types.Add({.kind = TypeKind::kArray, .size = 80, .target = nested, .count = 10});
  EXPECT_EQ(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, AsDeepAsAllowedIsNoneTooDeep) {
  TypeTable types;
  AddNest(types, kDeepestNesting);
  EXPECT_EQ(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, WhatNestsTooDeepIsFound) {
  TypeTable types;
  const TypeId before = types.Add({.kind = TypeKind::kArray, .size = 8, .count = 1});
  types.Edit(before).target = AddNest(types, 3 * kDeepestNesting);
  EXPECT_NE(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, AStructThatContainsItselfIsFound) {
  TypeTable types;
  const TypeId one = types.Add(StructOf(0));
  const TypeId array = types.Add({.kind = TypeKind::kArray, .target = one, .count = 2});
  types.Edit(one).members[0].type = array;
  EXPECT_NE(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, APointerToItselfIsFound) {
  TypeTable types;
  const TypeId pointer = types.Add({.kind = TypeKind::kPointer, .size = 8});
  types.Edit(pointer).target = pointer;
  EXPECT_NE(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, AListIsNoNest) {
  TypeTable types;
  const TypeId node = types.Add(StructOf(0));
  const TypeId pointer = types.Add({.kind = TypeKind::kPointer, .size = 8, .target = node});
  types.Edit(node).members[0].type = pointer;
  EXPECT_EQ(FindBottomless(types), std::nullopt);
}

TEST(TypeNestingTest, NorIsAnArrayOfItselfBehindAPointer) {
  TypeTable types;
  const TypeId node = types.Add(StructOf(0));
  const TypeId array = types.Add({.kind = TypeKind::kArray, .size = 8, .target = node, .count = 1});
  const TypeId pointer = types.Add({.kind = TypeKind::kPointer, .size = 8, .target = array});
  types.Edit(node).members[0].type = pointer;
  EXPECT_EQ(FindBottomless(types), std::nullopt);
}

}  // namespace
}  // namespace mcr::mutator
