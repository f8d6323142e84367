#include "mutator/debuginfo/type_index.h"

#include <gtest/gtest.h>

#include <string>

namespace mcr::mutator {
namespace {

TypeId AddStruct(TypeTable& types, const std::string& name, uint64_t size) {
  Type type;
  type.kind = TypeKind::kStruct;
  type.name = name;
  type.size = size;
  return types.Add(type);
}

TypeId AddPointer(TypeTable& types, TypeId target) {
  Type type;
  type.kind = TypeKind::kPointer;
  type.size = 8;
  type.target = target;
  return types.Add(type);
}

TEST(TypeIndexTest, FindsATypeUnderAnotherNumber) {
  TypeTable mine, other;
  AddStruct(mine, "first", 4);
  const TypeId item = AddStruct(mine, "item", 16);
  const TypeId pointer = AddPointer(mine, item);
  const TypeId same = AddStruct(other, "item", 16);
  const TypeIndex index(mine);
  EXPECT_EQ(index.Find(other, same), item);
  EXPECT_EQ(index.Find(other, AddPointer(other, same)), pointer);
}

TEST(TypeIndexTest, OfNamesakesTakesTheOneThatIsTheSame) {
  TypeTable mine, other;
  AddStruct(mine, "item", 8);
  const TypeId item = AddStruct(mine, "item", 16);
  EXPECT_EQ(TypeIndex(mine).Find(other, AddStruct(other, "item", 16)), item);
  EXPECT_EQ(TypeIndex(mine).Find(other, AddStruct(other, "item", 24)), 0u);
}

TEST(TypeIndexTest, DoesNotTakeWhatHasNoName) {
  TypeTable mine, other;
  AddStruct(mine, "", 16);
  EXPECT_EQ(TypeIndex(mine).Find(other, AddStruct(other, "", 16)), 0u);
}

}  // namespace
}  // namespace mcr::mutator
