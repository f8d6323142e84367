// Arrays by the indices of variables, over two programs made by hand.
#include "mutator/graph/indexed_arrays.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mutator/graph/snapshot.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

constexpr Addr kOld(0x550000000000), kNew(0x560000000000);
constexpr int kModules = 0, kOthers = 1;  // kinds of `struct module { long index, kind; }`

class IndexedArraysTest : public testing::Test {
 protected:
  // A version, whose variables are in `data`.
  struct Version {
    Version(Addr bias) : bias(bias) {
      image.MapAnonymous(bias + FakeProgram::kData.value(), 0x2000);
      number = program.AddType({.kind = TypeKind::kInteger, .name = "long", .size = 8});
      const TypeId anything = program.AddType({.kind = TypeKind::kPointer, .size = 8});
      const TypeId array =
          program.AddType({.kind = TypeKind::kPointer, .size = 8, .target = anything});
      module = program.AddType({.kind = TypeKind::kStruct,
                                .name = "module",
                                .size = 16,
                                .members = {{.name = "index", .type = number, .offset = 0},
                                            {.name = "kind", .type = number, .offset = 8}}});
      request = program.AddType({.kind = TypeKind::kStruct,
                                 .name = "request",
                                 .size = 8,
                                 .members = {{.name = "contexts", .type = array, .offset = 0}}});
      Number("module_count", 0);
    }
    void Number(const std::string& name, uint64_t value) {
      program.AddVariable(name, end, 8, number);
      image.WriteWord(bias + end.value(), value);
      end = end + 8;
    }
    void Module(const std::string& name, uint64_t index, uint64_t kind = kModules) {
      program.AddVariable(name, end, 16, module);
      image.WriteWord(bias + end.value(), index);
      image.WriteWord(bias + end.value() + 8, kind);
      end = end + 16;
    }
    void Count(uint64_t modules) { image.WriteWord(bias + FakeProgram::kData.value(), modules); }

    const Addr bias;
    FakeProgram program;
    checkpoint::FakeImage image;
    FileAddr end = FakeProgram::kData;
    TypeId number = 0, module = 0, request = 0;
  };

  IndexedArraysTest() {
    profiles::Indexed& annotation = *annotations_.add_indexed();
    annotation.set_field("request.contexts");
    annotation.set_index("module.index");
    annotation.set_if_field("kind");
    annotation.set_equals("0");
    annotation.set_length("module_count");
  }

  const Recipe* Find() {
    book_.emplace(before_.program.types(), after_.program.types(), annotations_);
    const Snapshot old(before_.image), now(after_.image);
    arrays_.emplace(IndexedArrays::Version{before_.program, before_.bias, old},
                    IndexedArrays::Version{after_.program, after_.bias, now}, *book_);
    return arrays_->At(before_.program.types()[before_.request], "contexts");
  }

  Version before_{kOld}, after_{kNew};
  profiles::Annotations annotations_;
  std::optional<RecipeBook> book_;
  std::optional<IndexedArrays> arrays_;
};

TEST_F(IndexedArraysTest, ElementsGoWhereTheirVariablesAre) {
  before_.Module("gzip", 0);
  before_.Module("core", 0, kOthers);
  before_.Module("proxy", 1);
  before_.Module("old", 2);
  before_.Count(4);
  after_.Module("proxy", 0);
  after_.Module("gzip", 2);
  after_.Module("core", 1, kOthers);
  after_.Count(3);
  const Recipe* recipe = Find();
  ASSERT_NE(recipe, nullptr);
  EXPECT_TRUE(arrays_->problems().empty());
  EXPECT_EQ(recipe->from_size, 32u);
  EXPECT_EQ(recipe->to_size, 24u);
  EXPECT_FALSE(recipe->identity);
  ASSERT_EQ(recipe->steps.size(), 4u);
  EXPECT_EQ(recipe->steps[0].kind, Step::Kind::kPointer);
  EXPECT_EQ(recipe->steps[0].to, 16u);
  EXPECT_EQ(recipe->steps[1].to, 0u);
  EXPECT_EQ(recipe->steps[2].kind, Step::Kind::kZero) << "the new version does not have it";
  EXPECT_NE(recipe->steps[2].reason.find("request.contexts[old]"), std::string::npos);
  EXPECT_EQ(recipe->steps[3].kind, Step::Kind::kZero) << "nobody has this index";
  EXPECT_EQ(arrays_->At(before_.program.types()[before_.module], "contexts"), nullptr);
}

TEST_F(IndexedArraysTest, SameIndicesChangeNothing) {
  for (Version* version : {&before_, &after_}) {
    version->Module("gzip", 0);
    version->Count(1);
  }
  const Recipe* recipe = Find();
  ASSERT_NE(recipe, nullptr);
  EXPECT_TRUE(recipe->identity);
}

TEST_F(IndexedArraysTest, WhatIsNotSoIsSaid) {
  before_.Module("gzip", 0);
  before_.Module("proxy", 0);
  before_.Count(1);
  after_.Module("gzip", 0);
  after_.Count(uint64_t{1} << 40);
  EXPECT_EQ(Find(), nullptr);
  ASSERT_EQ(arrays_->problems().size(), 2u);
  EXPECT_NE(arrays_->problems()[0].find("`gzip` and `proxy`"), std::string::npos);
  EXPECT_NE(arrays_->problems()[1].find("`module_count`"), std::string::npos);
}

}  // namespace
}  // namespace mcr::mutator
