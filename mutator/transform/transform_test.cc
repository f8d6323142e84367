// Recipes and their application, over types made by hand; among them the examples of the field's
// papers (DESIGN §10).
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/transform/apply.h"
#include "mutator/transform/recipe.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {
namespace {

class Types {
 public:
  TypeId Integer(const std::string& name, uint64_t size, bool is_signed = true) {
    return table.Add(
        {.kind = TypeKind::kInteger, .name = name, .size = size, .is_signed = is_signed});
  }
  TypeId Pointer(TypeId target) {
    return table.Add({.kind = TypeKind::kPointer, .size = 8, .target = target});
  }
  TypeId Array(TypeId element, uint64_t count) {
    return table.Add({.kind = TypeKind::kArray,
                      .size = table[element].size * count,
                      .target = element,
                      .count = count});
  }
  TypeId Record(const std::string& name, uint64_t size, std::vector<Member> members,
                TypeKind kind = TypeKind::kStruct) {
    return table.Add({.kind = kind, .name = name, .size = size, .members = std::move(members)});
  }
  TypeId Enum(const std::string& name, std::vector<Enumerator> values) {
    return table.Add({.kind = TypeKind::kEnum, .name = name, .size = 4, .enumerators = values});
  }

  TypeTable table;
};

class TransformTest : public testing::Test {
 protected:
  static Result<uint64_t> Same(const ValueWord& word) { return word.word; }

  Status Run(TypeId a, TypeId b, const void* from, void* to) {
    book_.emplace(before_.table, after_.table, annotations_);
    const Recipe& recipe = book_->Get(a, b);
    return Apply(recipe, {static_cast<const std::byte*>(from), recipe.from_size},
                 {static_cast<std::byte*>(to), recipe.to_size}, Same);
  }

  Types before_, after_;
  profiles::Annotations annotations_;
  std::optional<RecipeBook> book_;
};

TEST_F(TransformTest, FieldsAreTakenByName) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId s = before_.Record("s", 8, {{"x", a, 0}, {"y", a, 4}});
  const TypeId t = after_.Record("s", 12, {{"y", b, 0}, {"new", b, 4}, {"x", b, 8}});
  const int from[] = {1, 2};
  int to[] = {-1, 77, -1};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[0], 2);
  EXPECT_EQ(to[1], 77);  // as it was: what the new version says
  EXPECT_EQ(to[2], 1);
}

TEST_F(TransformTest, NumbersThatDoNotFitAreNamed) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("unsigned char", 1, false);
  const TypeId s = before_.Record("s", 4, {{"level", a, 0}});
  const TypeId t = after_.Record("s", 1, {{"level", b, 0}});
  int from = 200;
  unsigned char to = 0;
  EXPECT_TRUE(Run(s, t, &from, &to));
  EXPECT_EQ(to, 200);
  for (int bad : {256, -1}) {
    const Status status = Run(s, t, &bad, &to);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().Line().find("`level`: " + std::to_string(bad)), std::string::npos);
  }
}

TEST_F(TransformTest, EnumeratorsKeepTheirNames) {
  const TypeId a = before_.Enum("state", {{"OPEN", 0}, {"CLOSED", 1}});
  const TypeId b = after_.Enum("state", {{"NEW", 0}, {"OPEN", 1}, {"CLOSED", 2}});
  int from = 1, to = 0;
  ASSERT_TRUE(Run(a, b, &from, &to));
  EXPECT_EQ(to, 2);
  from = 9;
  EXPECT_FALSE(Run(a, b, &from, &to));
}

TEST_F(TransformTest, NumberThatIsTheSizeOfAnElementFollowsItsType) {
  const TypeId a = before_.Integer("long", 8), b = after_.Integer("long", 8);
  const TypeId e = before_.Record("entry", 8, {{"id", a, 0}});
  const TypeId f = after_.Record("entry", 16, {{"weight", b, 0}, {"id", b, 8}});
  const TypeId s = before_.Record("array", 16, {{"all", before_.Pointer(e), 0}, {"size", a, 8}});
  const TypeId t = after_.Record("array", 16, {{"all", after_.Pointer(f), 0}, {"size", b, 8}});
  profiles::Length& length = *annotations_.add_length();
  length.set_field("array.all");
  length.set_size_of("size");
  long from[] = {0, 8}, to[] = {0, 0};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[1], 16);
  from[1] = 24;  // of something else
  EXPECT_FALSE(Run(s, t, from, to));
}

TEST_F(TransformTest, BitFieldsMoveWithoutTheirNeighbours) {
  const TypeId a = before_.Integer("unsigned", 4, false), b = after_.Integer("unsigned", 4, false);
  const TypeId s = before_.Record("s", 4, {{"x", a, 0, 0, 3}, {"y", a, 0, 3, 7}});
  const TypeId t = after_.Record("s", 4, {{"y", b, 0, 0, 7}, {"w", b, 0, 7, 2}, {"x", b, 1, 1, 3}});
  const uint32_t from = 5 | 99 << 3;
  uint32_t to = 3 << 7;
  ASSERT_TRUE(Run(s, t, &from, &to));
  EXPECT_EQ(to, 99u | 3u << 7 | 5u << 9);
}

TEST_F(TransformTest, ChangedUnionNeedsADiscriminator) {
  const TypeId i = before_.Integer("int", 4), c = before_.Integer("short", 2);
  const TypeId j = after_.Integer("int", 4), l = after_.Integer("long", 8);
  const TypeId u = before_.Record("u", 4, {{"i", i, 0}, {"c", c, 0}}, TypeKind::kUnion);
  const TypeId v = after_.Record("u", 8, {{"i", j, 0}, {"c", l, 0}}, TypeKind::kUnion);
  const TypeId s = before_.Record("s", 8, {{"kind", i, 0}, {"u", u, 4}});
  const TypeId t = after_.Record("s", 16, {{"kind", j, 0}, {"u", v, 8}});
  struct {
    int kind;
    short c, pad;
  } from = {2, -5, 0};
  struct {
    int kind;
    int pad;
    long c;
  } to = {};
  const Status refused = Run(s, t, &from, &to);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().Line().find("discriminator"), std::string::npos);

  auto* annotation = annotations_.add_discriminator();
  annotation->set_union_field("s.u");
  annotation->set_field("kind");
  auto* valid = annotation->add_cases();
  valid->set_equals("2");
  valid->set_member("c");
  ASSERT_TRUE(Run(s, t, &from, &to));
  EXPECT_EQ(to.c, -5);
  from.kind = 3;
  EXPECT_FALSE(Run(s, t, &from, &to));
}

TEST_F(TransformTest, FieldThatIsDroppedWhileItIsZeroHasNoValue) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId s = before_.Record("s", 12, {{"x", a, 0}, {"gone", a, 4}, {"y", a, 8}});
  const TypeId t = after_.Record("s", 8, {{"x", b, 0}, {"y", b, 4}});
  annotations_.add_drop_zero("s.gone");
  int from[] = {3, 0, 4};
  int to[2] = {};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[0], 3);
  EXPECT_EQ(to[1], 4);
  from[1] = 5;
  const Status refused = Run(s, t, from, to);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().Line().find("s.gone"), std::string::npos);
}

TEST_F(TransformTest, FieldThatStaysWhatItIsIsNotDropped) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId s = before_.Record("s", 8, {{"x", a, 0}, {"y", a, 4}});
  const TypeId t = after_.Record("s", 8, {{"x", b, 0}, {"y", b, 4}});
  annotations_.add_drop_zero("s.y");
  const int from[] = {3, 4};
  int to[2] = {};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[1], 4);
  EXPECT_TRUE(book_->Get(s, t).identity);
}

TEST_F(TransformTest, SizeInAContainerFollowsItsElements) {
  const TypeId a = before_.Integer("long", 8), b = after_.Integer("long", 8);
  before_.Record("item", 16, {{"id", a, 0}, {"weight", a, 8}});
  after_.Record("item", 24, {{"id", b, 0}, {"weight", b, 8}, {"added", b, 16}});
  const TypeId list = before_.Record("list", 16, {{"count", a, 0}, {"size", a, 8}});
  const TypeId new_list = after_.Record("list", 16, {{"count", b, 0}, {"size", b, 8}});
  const TypeId s = before_.Record("s", 32, {{"items", list, 0}, {"others", list, 16}});
  const TypeId t = after_.Record("s", 32, {{"items", new_list, 0}, {"others", new_list, 16}});
  profiles::Container& container = *annotations_.add_container();
  container.set_type("list");
  container.set_size("size");
  container.add_field("s.items");
  container.set_of("item");
  long from[] = {16, 16, 16, 16};
  long to[4] = {};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[0], 16);
  EXPECT_EQ(to[1], 24);
  EXPECT_EQ(to[3], 16) << "nothing is said of what is in there";
  from[1] = 17;
  EXPECT_FALSE(Run(s, t, from, to));
  container.set_of("nothing");
  EXPECT_FALSE(Run(s, t, from, to));
}

TEST_F(TransformTest, EndOfAnArrayGoesWhereItsLastByteGoes) {
  const TypeId a = before_.Integer("char", 1), b = after_.Integer("char", 1);
  const TypeId p = before_.Pointer(a), q = after_.Pointer(b);
  const TypeId s = before_.Record("s", 16, {{"start", p, 0}, {"end", p, 8}});
  const TypeId t = after_.Record("s", 16, {{"end", q, 0}, {"start", q, 8}});
  profiles::Length& length = *annotations_.add_length();
  length.set_field("s.start");
  length.set_end("end");
  book_.emplace(before_.table, after_.table, annotations_);
  const Recipe& recipe = book_->Get(s, t);
  const auto move = [](const ValueWord& word) -> Result<uint64_t> {
    if (word.word == 0x2000) return Fail("something else begins there");
    return word.word >= 0x1000 && word.word < 0x2000 ? word.word + 0x5000 : word.word;
  };
  uint64_t from[] = {0x1800, 0x2000}, to[2] = {};
  ASSERT_TRUE(
      Apply(recipe, std::as_bytes(std::span(from)), std::as_writable_bytes(std::span(to)), move));
  EXPECT_EQ(to[0], 0x7000u);
  EXPECT_EQ(to[1], 0x6800u);
  from[0] = 0;  // no array: its end is whatever it was
  ASSERT_TRUE(
      Apply(recipe, std::as_bytes(std::span(from)), std::as_writable_bytes(std::span(to)), move));
  EXPECT_EQ(to[0], 0x2000u);
}

// Ginseng (PLDI 2006): a field is added.
TEST_F(TransformTest, GinsengsStructGetsAZero) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId s = before_.Record("T", 8, {{"x", a, 0}, {"y", a, 4}});
  const TypeId t = after_.Record("T", 12, {{"x", b, 0}, {"y", b, 4}, {"z", b, 8}});
  const int from[] = {3, 4};
  int to[3] = {};
  ASSERT_TRUE(Run(s, t, from, to));
  EXPECT_EQ(to[0], 3);
  EXPECT_EQ(to[1], 4);
  EXPECT_EQ(to[2], 0);
}

// TTST (LISA 2013), figure 5: `id` is widened, `str` shortened, `ptr` dropped; `inner_ptr` follows.
TEST_F(TransformTest, TtstsSampleTransfersAndInnerPointersFollow) {
  const TypeId i = before_.Integer("int", 4), c = before_.Integer("char", 1),
               h = before_.Integer("short", 2);
  const TypeId j = after_.Integer("int", 4), d = after_.Integer("char", 1);
  const TypeId s = before_.Record("s", 40,
                                  {{"count", i, 0},
                                   {"str", before_.Array(c, 3), 4},
                                   {"id", h, 8},
                                   {"ptr", before_.Pointer(0), 16},
                                   {"addr", i, 24},
                                   {"inner_ptr", before_.Pointer(h), 32}});
  const TypeId t = after_.Record("s", 32,
                                 {{"count", j, 0},
                                  {"id", j, 4},
                                  {"str", after_.Array(d, 2), 8},
                                  {"addr", j, 12},
                                  {"inner_ptr", after_.Pointer(j), 16}});
  struct {
    int count;
    char str[3];
    short id;
    void* ptr;
    int addr;
    short* inner;
  } from = {1, "aa", -7, nullptr, 5, nullptr};
  struct {
    int count, id;
    char str[2];
    int addr;
    int* inner;
    int pad[2];
  } to = {};
  ASSERT_TRUE(Run(s, t, &from, &to));
  EXPECT_EQ(to.id, -7);
  EXPECT_STREQ(to.str, "a");
  EXPECT_EQ(to.addr, 5);
  const Recipe& recipe = book_->Get(s, t);
  EXPECT_EQ(recipe.dropped, std::vector<std::string>{"ptr"});
  EXPECT_EQ(MapOffset(recipe, 8, h), 4u);
  EXPECT_EQ(MapOffset(recipe, 0, i), 0u);
  EXPECT_EQ(MapOffset(recipe, 16), std::nullopt);
  EXPECT_EQ(MapOffset(recipe, 40), 32u);
}

TEST_F(TransformTest, SameTypeIsTheIdentity) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId s = before_.Record("s", 16, {{"x", a, 0, 1, 3}, {"p", before_.Pointer(a), 8}});
  const TypeId t = after_.Record("s", 16, {{"x", b, 0, 1, 3}, {"p", after_.Pointer(b), 8}});
  book_.emplace(before_.table, after_.table, annotations_);
  EXPECT_TRUE(book_->Get(s, t).identity);
  EXPECT_TRUE(book_->Get(s, t).has_pointers);
  EXPECT_EQ(book_->Counterpart(s), t);
}

TEST_F(TransformTest, FlexibleArraysGoToTheEndOfTheMemory) {
  const TypeId a = before_.Integer("int", 4), b = after_.Integer("int", 4);
  const TypeId l = after_.Integer("long", 8);
  const TypeId s = before_.Record("s", 4, {{"n", a, 0}, {"items", before_.Array(a, 0), 4}});
  const TypeId t = after_.Record("s", 8, {{"n", b, 0}, {"items", after_.Array(l, 0), 8}});
  book_.emplace(before_.table, after_.table, annotations_);
  const int from[] = {2, 10, -20};
  struct {
    int n;
    long items[2];
  } to = {};
  ASSERT_TRUE(Apply(book_->Get(s, t), std::as_bytes(std::span(from)),
                    std::as_writable_bytes(std::span(&to, 1)), Same));
  EXPECT_EQ(to.items[0], 10);
  EXPECT_EQ(to.items[1], -20);
  EXPECT_EQ(MapOffset(book_->Get(s, t), 8), 16u);
}

TEST_F(TransformTest, WhatBecameSomethingElseIsTheNewStartsIfNobodyHasTouchedIt) {
  const TypeId old_char = before_.Integer("char", 1), new_char = after_.Integer("char", 1);
  const TypeId names = before_.Array(before_.Pointer(old_char), 2);
  const TypeId a = before_.Record("s", 16, {{.name = "names", .type = names, .offset = 0}});
  const TypeId list = after_.Pointer(after_.Pointer(new_char));
  const TypeId b = after_.Record("s", 8, {{.name = "names", .type = list, .offset = 0}});
  book_.emplace(before_.table, after_.table, annotations_);
  const Recipe& recipe = book_->Get(a, b);
  ASSERT_EQ(recipe.problem, "");
  const uint64_t from[2] = {1, 2};
  uint64_t to = 7;
  const auto apply = [&](const LeftAlone& untouched) {
    return Apply(recipe, std::as_bytes(std::span(from)), std::as_writable_bytes(std::span(&to, 1)),
                 Same, untouched);
  };
  const Status touched = apply({});
  ASSERT_FALSE(touched);
  EXPECT_NE(touched.error().Line().find("`s.names`: char * [2] became char **"), std::string::npos);
  EXPECT_TRUE(apply([](uint64_t at, uint64_t size) { return at == 0 && size == 16; }));
  EXPECT_EQ(to, 7u);
}

}  // namespace
}  // namespace mcr::mutator
