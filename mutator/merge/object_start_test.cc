#include "mutator/merge/object_start.h"

#include <gtest/gtest.h>

namespace mcr::mutator {
namespace {

class ObjectStartTest : public testing::Test {
 protected:
  ObjectStartTest() {
    Type integer;
    integer.kind = TypeKind::kInteger;
    integer.size = 4;
    const TypeId number = types_.Add(integer);
    integer.size = 1;
    const TypeId character = types_.Add(integer);
    Type array;
    array.kind = TypeKind::kArray;
    array.target = character;
    array.count = array.size = 6;
    const TypeId text = types_.Add(array);
    Type record;
    record.kind = TypeKind::kStruct;
    record.size = 16;
    record.members = {{"number", number, 0}, {"text", text, 4}, {"last", number, 12}};
    record_ = types_.Add(record);
    array.target = record_;
    array.count = 3;
    array.size = 48;
    records_ = types_.Add(array);
  }

  TypeTable types_;
  TypeId record_ = 0, records_ = 0;
};

TEST_F(ObjectStartTest, MembersAndElementsBeginObjects) {
  EXPECT_TRUE(IsObjectStart(types_, records_, 0));
  EXPECT_TRUE(IsObjectStart(types_, records_, 16));
  EXPECT_TRUE(IsObjectStart(types_, records_, 16 + 12));
}

TEST_F(ObjectStartTest, EveryCharacterIsAnObject) {
  EXPECT_TRUE(IsObjectStart(types_, record_, 7));
}

TEST_F(ObjectStartTest, CharactersDoNotCountWhereOnlyLargerObjectsDo) {
  EXPECT_FALSE(IsObjectStart(types_, record_, 7, 2));
  EXPECT_TRUE(IsObjectStart(types_, record_, 4, 2));
  EXPECT_TRUE(IsObjectStart(types_, records_, 16 + 12, 2));
}

TEST_F(ObjectStartTest, NothingBeginsInsideANumberOrInPadding) {
  EXPECT_FALSE(IsObjectStart(types_, record_, 2));
  EXPECT_FALSE(IsObjectStart(types_, record_, 11));
}

TEST_F(ObjectStartTest, UnknownTypesSayNothing) { EXPECT_TRUE(IsObjectStart(types_, 0, 13)); }

}  // namespace
}  // namespace mcr::mutator
