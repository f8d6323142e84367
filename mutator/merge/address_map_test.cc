#include "mutator/merge/address_map.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

using namespace std::string_view_literals;

class AddressMapTest : public testing::Test {
 protected:
  AddressMap Map() { return AddressMap(before_, after_, std::make_unique<FakeComparer>()); }

  std::shared_ptr<FakeProgram> before_ = std::make_shared<FakeProgram>();
  std::shared_ptr<FakeProgram> after_ = std::make_shared<FakeProgram>();
};

TEST_F(AddressMapTest, FunctionsAreFoundByName) {
  before_->AddFunction("handler", FileAddr(0x1100), 0x20);
  after_->AddFunction("handler", FileAddr(0x1400), 0x30);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x1100)).kind, PointerKind::kFunction);
  EXPECT_EQ(map.Translate(FileAddr(0x1100)).to, FileAddr(0x1400));
}

TEST_F(AddressMapTest, InsideOfAFunctionOnlyIdenticalCodeTranslates) {
  before_->AddFunction("same", FileAddr(0x1100), 0x20);
  before_->AddFunction("changed", FileAddr(0x1200), 0x20);
  after_->AddFunction("same", FileAddr(0x1300), 0x20);
  after_->AddFunction("changed", FileAddr(0x1400), 0x28);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x1108)).to, FileAddr(0x1308));
  EXPECT_EQ(map.Translate(FileAddr(0x1208)).kind, PointerKind::kNone);
  EXPECT_NE(map.Translate(FileAddr(0x1208)).problem.find("`changed` changed"), std::string::npos);
}

TEST_F(AddressMapTest, ReturnAddressBehindALastCallBelongsToTheCallingFunction) {
  before_->AddFunction("caller", FileAddr(0x1100), 0x20);
  before_->AddFunction("next", FileAddr(0x1120), 0x20);
  after_->AddFunction("next", FileAddr(0x1200), 0x20);
  after_->AddFunction("caller", FileAddr(0x1300), 0x20);
  auto map = Map();
  EXPECT_EQ(map.TranslateReturnAddress(FileAddr(0x1120)).to, FileAddr(0x1320));
  EXPECT_EQ(map.Translate(FileAddr(0x1120)).to, FileAddr(0x1200));
}

// Such an address is what is left of another pointer.
TEST_F(AddressMapTest, NothingPointsInsideAJumpTable) {
  constexpr FileAddr kTable = FakeProgram::kRodata + 0x100;
  before_->AddFunction("switches", FileAddr(0x1100), 0x20);
  before_->AddFunction("other", FileAddr(0x1120), 0x20);
  after_->AddFunction("switches", FileAddr(0x1200), 0x20);
  const std::array<int32_t, 3> entries = {0x1108 - 0x2100, 0x1110 - 0x2100, 0x1120 - 0x2100};
  before_->PutLiteral(kTable, {reinterpret_cast<const char*>(entries.data()), sizeof entries});
  AddressMap map(before_, after_,
                 std::make_unique<FakeComparer>(FakeComparer::JumpTables{{kTable, kTable}}));
  map.ChangedFunctions();
  for (const uint64_t inside : {1, 4, 5, 7}) {
    EXPECT_EQ(map.Translate(kTable + inside).kind, PointerKind::kNone) << inside;
    EXPECT_FALSE(map.Translate(kTable + inside).exact) << inside;
  }
  // Of another function: the table has ended.
  EXPECT_TRUE(map.Translate(kTable + 9).exact);
}

TEST_F(AddressMapTest, ListsTheFunctionsWhoseCodeChanged) {
  before_->AddFunction("same", FileAddr(0x1100), 0x20);
  before_->AddFunction("changed", FileAddr(0x1200), 0x20);
  before_->AddFunction("gone", FileAddr(0x1300), 0x20);
  after_->AddFunction("same", FileAddr(0x1300), 0x20);
  after_->AddFunction("changed", FileAddr(0x1400), 0x28);
  EXPECT_EQ(Map().ChangedFunctions(), std::vector<std::string>{"changed"});
}

TEST_F(AddressMapTest, MissingFunctionIsNamed) {
  before_->AddFunction("gone", FileAddr(0x1100), 0x20);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x1100)).problem, "function `gone` is not in the new version");
}

TEST_F(AddressMapTest, VariablesKeepTheOffsetIncludingOnePastTheEnd) {
  before_->AddVariable("table", FileAddr(0x3100), 0x40);
  after_->AddVariable("table", FileAddr(0x3800), 0x40);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x3108)).to, FileAddr(0x3808));
  EXPECT_EQ(map.Translate(FileAddr(0x3140)).to, FileAddr(0x3840));
}

TEST_F(AddressMapTest, LiteralsAreFoundByTheirBytes) {
  before_->PutLiteral(FileAddr(0x2010), "hello\0world\0"sv);
  after_->PutLiteral(FileAddr(0x2200), "world\0say hello\0"sv);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x2016)).to, FileAddr(0x2200));
  // Merged with the tail of a longer literal.
  EXPECT_EQ(map.Translate(FileAddr(0x2010)).to, FileAddr(0x220a));
}

TEST_F(AddressMapTest, BeginAndEndOfALiteralStayTogether) {
  before_->PutLiteral(FileAddr(0x2010), "GET\0"sv);
  after_->PutLiteral(FileAddr(0x2100), "POST\0GET\0"sv);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x2010)).to, FileAddr(0x2105));
  EXPECT_EQ(map.Translate(FileAddr(0x2013)).to, FileAddr(0x2108));
}

TEST_F(AddressMapTest, LiteralThatOnlyTheOldVersionHasIsKeptBehindTheNewOne) {
  before_->PutLiteral(FileAddr(0x2010), "only in the old version\0"sv);
  auto map = Map();
  checkpoint::ProcessGraft graft;
  map.kept_constants().AddTo(Addr(0), graft);
  EXPECT_TRUE(graft.mappings.empty());

  const Translation kept = map.Translate(FileAddr(0x2010));
  ASSERT_EQ(kept.kind, PointerKind::kLiteral);
  EXPECT_GE(kept.to, FileAddr(FakeProgram::kEnd));
  EXPECT_LT(kept.to.value(), map.kept_constants().room());
  map.kept_constants().AddTo(Addr(0), graft);
  ASSERT_EQ(graft.mappings.size(), 1u);
  EXPECT_TRUE(graft.mappings[0].range.Contains(Addr(kept.to.value())));
  ASSERT_EQ(graft.writes.entries().size(), 1u);
  const auto bytes = graft.writes.bytes(graft.writes.entries()[0]);
  EXPECT_EQ(bytes[kept.to.value() - graft.writes.entries()[0].at.value()], std::byte{'o'});
}

TEST_F(AddressMapTest, MiddleOfALiteralThatTheNewVersionLacksIsAProblem) {
  before_->PutLiteral(FileAddr(0x2010), "only in the old version\0"sv);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x2013)).kind, PointerKind::kNone);
}

TEST_F(AddressMapTest, EndOfTheProgramIsTheEndOfTheNewOne) {
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(FakeProgram::kEnd)).kind, PointerKind::kLayout);
}

// An array of two jobs and what follows it.
class ArrayEndTest : public AddressMapTest {
 protected:
  void Add(FakeProgram& program, FileAddr array, FileAddr behind, bool is_job) {
    const TypeId number = program.AddType({.kind = TypeKind::kInteger, .name = "int", .size = 4});
    job_ = program.AddType(
        {.kind = TypeKind::kStruct, .name = "job", .size = 8, .members = {{"id", number, 0}}});
    const TypeId jobs =
        program.AddType({.kind = TypeKind::kArray, .size = 16, .target = job_, .count = 2});
    program.AddVariable("jobs", array, 16, jobs);
    program.AddVariable("behind", behind, 8, is_job ? job_ : number);
  }

  TypeId job_ = 0;
};

TEST_F(ArrayEndTest, APointerOfTheArraysTypeIsItsEndIfNoOtherObjectOfItBeginsThere) {
  Add(*before_, FileAddr(0x3100), FileAddr(0x3110), /*is_job=*/false);
  Add(*after_, FileAddr(0x3200), FileAddr(0x3400), /*is_job=*/false);
  auto map = Map();
  EXPECT_EQ(map.Translate(FileAddr(0x3110), job_).to, FileAddr(0x3210));
  EXPECT_EQ(map.Translate(FileAddr(0x3110)).to, FileAddr(0x3400));
}

TEST_F(ArrayEndTest, WhereBothArePossibleItIsAProblemThatNamesThem) {
  Add(*before_, FileAddr(0x3100), FileAddr(0x3110), /*is_job=*/true);
  Add(*after_, FileAddr(0x3200), FileAddr(0x3400), /*is_job=*/true);
  const Translation translation = Map().Translate(FileAddr(0x3110), job_);
  EXPECT_EQ(translation.kind, PointerKind::kNone);
  EXPECT_NE(translation.problem.find("the end of `jobs` as well as the begin of `behind`"),
            std::string::npos);
}

TEST_F(ArrayEndTest, WhereTheyStayTogetherItMakesNoDifference) {
  Add(*before_, FileAddr(0x3100), FileAddr(0x3110), /*is_job=*/true);
  Add(*after_, FileAddr(0x3200), FileAddr(0x3210), /*is_job=*/true);
  EXPECT_EQ(Map().Translate(FileAddr(0x3110), job_).to, FileAddr(0x3210));
}

}  // namespace
}  // namespace mcr::mutator
