#include "mcr/update/arguments.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/fake_program.h"

namespace mcr::update {
namespace {

using mutator::FakeProgram;
using mutator::Type;
using mutator::TypeId;
using mutator::TypeKind;
using Strings = std::vector<std::string>;

constexpr Addr kBias(0x10000);
constexpr Addr kStack(0x7f000000);
constexpr Addr kText(0x7f000800);
constexpr Addr kHeap(0x20000);

// A process that was started as "/usr/bin/served -p 80".
class ArgumentsTest : public testing::Test {
 protected:
  ArgumentsTest() {
    image_.MapAnonymous(kStack, 0x1000, "[stack]").MapAnonymous(kHeap, 0x1000, "[heap]");
    image_.MapAnonymous(kBias + FakeProgram::kData.value(), 0x2000);
    const TypeId text = program_.AddType({.kind = TypeKind::kInteger, .name = "char", .size = 1});
    const TypeId pointer =
        program_.AddType({.kind = TypeKind::kPointer, .size = 8, .target = text});
    vector_ = program_.AddType({.kind = TypeKind::kPointer, .size = 8, .target = pointer});

    image_.WriteWord(kStack, started_.size());
    WriteVector(kStack + 8, WriteStrings(kText, started_));
    record_ = {kStack, *Range<Addr>::FromSize(kText, 23), "/usr/bin/served"};
  }

  std::vector<Addr> WriteStrings(Addr at, const Strings& strings) {
    std::vector<Addr> places;
    for (const std::string& string : strings) {
      places.push_back(at);
      image_.WriteString(at, string);
      at = at + string.size() + 1;
    }
    return places;
  }

  void WriteVector(Addr at, const std::vector<Addr>& places) {
    for (Addr place : places) {
      image_.WriteWord(at, place.value());
      at = at + 8;
    }
    image_.WriteWord(at, 0);
  }

  // "served: idle", zeros behind it.
  void ShowTitle() {
    image_.Write(kText, std::vector<std::byte>(record_.strings.size()));
    image_.WriteString(kText, "served: idle");
  }

  // `strings` on the heap, in a `char **` member `options.argv` of the program.
  void KeepCopy(const Strings& strings) {
    const TypeId options =
        program_.AddType({.kind = TypeKind::kStruct,
                          .name = "options",
                          .size = 16,
                          .members = {{.name = "argv", .type = vector_, .offset = 8}}});
    program_.AddVariable("options", FakeProgram::kBss, 16, options);
    image_.WriteWord(kBias + FakeProgram::kBss.value() + 8, kHeap.value());
    WriteVector(kHeap, WriteStrings(kHeap + 0x100, strings));
  }

  auto Find() const { return FindArguments(program_, kBias, image_, record_); }

  const Strings started_ = {"/usr/bin/served", "-p", "80", ""};
  checkpoint::FakeImage image_;
  FakeProgram program_;
  TypeId vector_ = 0;
  ArgumentRecord record_;
};

TEST_F(ArgumentsTest, AreReadFromTheStack) { EXPECT_EQ(Find(), started_); }

TEST_F(ArgumentsTest, AreFoundWhereTheProgramMovedThemBeforeItShowedATitle) {
  std::vector<Addr> places = WriteStrings(kHeap, {"-p", "80", ""});
  places.insert(places.begin(), kText);
  WriteVector(kStack + 8, places);
  ShowTitle();
  EXPECT_EQ(Find(), started_);
}

TEST_F(ArgumentsTest, AreFoundInAMemberOfAVariable) {
  KeepCopy(started_);
  ShowTitle();
  EXPECT_EQ(Find(), started_);
}

TEST_F(ArgumentsTest, AreNotTakenFromAVectorOfOtherStrings) {
  KeepCopy({"/usr/bin/served", "-p", "8080", ""});
  ShowTitle();
  EXPECT_EQ(Find(), std::nullopt);
}

TEST_F(ArgumentsTest, AreNotTakenFromALongerVector) {
  KeepCopy({"/usr/bin/served", "-p", "8", "", ""});
  ShowTitle();
  EXPECT_EQ(Find(), std::nullopt);
}

TEST_F(ArgumentsTest, AreNotPiecesOfATitle) {
  image_.Write(kText, std::vector<std::byte>(record_.strings.size(), std::byte{'x'}));
  EXPECT_EQ(Find(), std::nullopt);
}

TEST_F(ArgumentsTest, VectorsAreFoundByName) {
  KeepCopy(started_);
  EXPECT_EQ(FindStringVector(program_, "options.argv"), FakeProgram::kBss + 8);
  EXPECT_EQ(FindStringVector(program_, "options.other"), std::nullopt);
}

}  // namespace
}  // namespace mcr::update
