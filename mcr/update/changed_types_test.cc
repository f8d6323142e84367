#include "mcr/update/changed_types.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::update {
namespace {

using mutator::Member;
using mutator::TypeId;
using mutator::TypeKind;
using mutator::TypeTable;

struct Version {
  TypeTable types;
  TypeId integer = types.Add({.kind = TypeKind::kInteger, .name = "int", .size = 4});
  TypeId wide = types.Add({.kind = TypeKind::kInteger, .name = "long", .size = 8});
  TypeId Struct(uint64_t size, std::vector<Member> members) {
    return types.Add(
        {.kind = TypeKind::kStruct, .name = "s", .size = size, .members = std::move(members)});
  }
};

ChangedType Describe(const Version& before, TypeId a, const Version& after, TypeId b) {
  return DescribeChangedTypes(before.types, after.types, {{"struct s", a, b, "differs"}}).at(0);
}

std::vector<std::string> Names(const ChangedType& type) {
  std::vector<std::string> names;
  for (const ChangedField& field : type.fields) {
    names.push_back((field.before ? "" : "+") + field.name + (field.after ? "" : "-"));
  }
  return names;
}

TEST(ChangedTypes, PairsFieldsByNameAndShowsDroppedOnesWhereTheyWere) {
  Version before, after;
  const TypeId a = before.Struct(12, {{.name = "count", .type = before.integer},
                                      {.name = "gone", .type = before.integer, .offset = 4},
                                      {.name = "id", .type = before.integer, .offset = 8}});
  const TypeId b = after.Struct(16, {{.name = "count", .type = after.integer},
                                     {.name = "id", .type = after.wide, .offset = 4},
                                     {.name = "extra", .type = after.integer, .offset = 12}});
  const ChangedType type = Describe(before, a, after, b);
  EXPECT_EQ(Names(type), (std::vector<std::string>{"count", "gone-", "id", "+extra"}));
  EXPECT_EQ(type.size_before, 12u);
  EXPECT_EQ(type.size_after, 16u);
  EXPECT_EQ(type.fields[2].before->type, "int");
  EXPECT_EQ(type.fields[2].after->type, "long");
  EXPECT_EQ(type.fields[2].after->offset, 4u);
}

TEST(ChangedTypes, AnonymousMembersArePairedInTheirOrder) {
  Version before, after;
  const TypeId a = before.Struct(4, {{.name = "", .type = before.integer}});
  const TypeId b = after.Struct(
      8, {{.name = "", .type = after.integer}, {.name = "", .type = after.integer, .offset = 4}});
  EXPECT_EQ(Names(Describe(before, a, after, b)), (std::vector<std::string>{"", "+"}));
}

TEST(ChangedTypes, EnumeratorsHaveValues) {
  Version before, after;
  const TypeId a = before.types.Add(
      {.kind = TypeKind::kEnum, .name = "e", .size = 4, .enumerators = {{"RED", 0}}});
  const TypeId b = after.types.Add(
      {.kind = TypeKind::kEnum, .name = "e", .size = 4, .enumerators = {{"NONE", 0}, {"RED", 1}}});
  const auto json = ToJson(std::vector{Describe(before, a, after, b)});
  EXPECT_EQ(json[0]["kind"], "enum");
  EXPECT_EQ(json[0]["fields"][0]["before"], nullptr);
  EXPECT_EQ(json[0]["fields"][1]["before"]["value"], 0);
  EXPECT_EQ(json[0]["fields"][1]["after"]["value"], 1);
}

TEST(ChangedTypes, BitFieldsSayWhichBits) {
  Version before, after;
  const Member bits = {.name = "low", .type = 1, .offset = 0, .bit_offset = 3, .bit_size = 5};
  const TypeId a = before.Struct(4, {bits});
  const TypeId b = after.Struct(8, {bits});
  const auto json = ToJson(std::vector{Describe(before, a, after, b)});
  EXPECT_EQ(json[0]["fields"][0]["after"]["bit_offset"], 3);
  EXPECT_EQ(json[0]["fields"][0]["after"]["bit_size"], 5);
}

TEST(ChangedTypes, TheTextFoldsRunsThatMovedAlike) {
  Version before, after;
  std::vector<Member> old_members, new_members = {{.name = "first", .type = after.wide}};
  for (uint64_t i = 0; i < 5; ++i) {
    const std::string name = "f" + std::to_string(i);
    old_members.push_back({.name = name, .type = before.integer, .offset = 4 * i});
    new_members.push_back({.name = name, .type = after.integer, .offset = 8 + 4 * i});
  }
  const std::string text = ToText(
      Describe(before, before.Struct(20, old_members), after, after.Struct(28, new_members)));
  EXPECT_NE(text.find("old: 20 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("new: 28 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("first"), std::string::npos) << text;
  EXPECT_NE(text.find("... 5 fields moved by +8"), std::string::npos) << text;
}

}  // namespace
}  // namespace mcr::update
