#include "mutator/debuginfo/sub_objects.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mcr::mutator {
namespace {

class SubObjectsTest : public ::testing::Test {
 protected:
  TypeId AddStruct(std::vector<Member> members, uint64_t size) {
    Type type;
    type.kind = TypeKind::kStruct;
    type.size = size;
    type.members = std::move(members);
    return types_.Add(std::move(type));
  }
  TypeId AddArray(TypeId element, uint64_t count) {
    Type type;
    type.kind = TypeKind::kArray;
    type.target = element;
    type.count = count;
    type.size = count * types_[element].size;
    return types_.Add(std::move(type));
  }
  const SubObject* Find(const std::vector<SubObject>& parts, const std::string& path) {
    const auto found = std::ranges::find(parts, path, &SubObject::path);
    return found == parts.end() ? nullptr : &*found;
  }

  TypeTable types_;
  TypeId number_ = types_.Add({.kind = TypeKind::kInteger, .name = "int", .size = 4});
};

TEST_F(SubObjectsTest, MembersAndElementsAreParts) {
  const TypeId inner = AddStruct({{"a", number_, 0}, {"b", number_, 4}}, 8);
  const TypeId outer = AddStruct({{"first", number_, 0}, {"list", AddArray(inner, 2), 8}}, 24);
  const auto parts = SubObjectsOf(types_, outer);
  ASSERT_NE(Find(parts, ".first"), nullptr);
  const SubObject* part = Find(parts, ".list[1].b");
  ASSERT_NE(part, nullptr);
  EXPECT_EQ(part->offset, 20u);
  EXPECT_EQ(part->type, number_);
}

TEST_F(SubObjectsTest, ANumberHasNone) { EXPECT_TRUE(SubObjectsOf(types_, number_).empty()); }

TEST_F(SubObjectsTest, BitFieldsAreLeftOut) {
  const TypeId flags = AddStruct({{"flag", number_, 0, 0, 1}, {"rest", number_, 4}}, 8);
  const auto parts = SubObjectsOf(types_, flags);
  EXPECT_EQ(Find(parts, ".flag"), nullptr);
  EXPECT_NE(Find(parts, ".rest"), nullptr);
}

TEST_F(SubObjectsTest, TooManyAreNone) {
  EXPECT_TRUE(SubObjectsOf(types_, AddArray(number_, 1 << 20)).empty());
}

TEST_F(SubObjectsTest, PartsBeginAndEndWhereTheyAre) {
  const TypeId inner = AddStruct({{"a", number_, 0}, {"b", number_, 8}}, 16);
  const TypeId outer = AddStruct({{"first", number_, 0}, {"list", AddArray(inner, 2), 8}}, 48);
  for (const uint64_t offset : {0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48}) {
    EXPECT_TRUE(BeginsOrEndsAt(types_, outer, offset)) << offset;
  }
  for (const uint64_t offset : {1, 3, 6, 10, 14, 18, 23, 44}) {
    EXPECT_FALSE(BeginsOrEndsAt(types_, outer, offset)) << offset;
  }
}

TEST_F(SubObjectsTest, ATypeThatHoldsItselfEnds) {
  const TypeId type = AddStruct({}, 8);
  types_.Edit(type).members = {{"self", type, 0}};
  EXPECT_FALSE(SubObjectsOf(types_, type).empty());
}

}  // namespace
}  // namespace mcr::mutator
