#include "mutator/filter/learned_invariants.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

constexpr Addr kBias(0x550000000000);
constexpr FileAddr kValue = FakeProgram::kData, kPointer = FakeProgram::kData + 8,
                   kOther = FakeProgram::kData + 16;

class LearnedInvariantsTest : public testing::Test {
 protected:
  LearnedInvariantsTest() : program_(std::make_shared<FakeProgram>()) {
    image_.MapAnonymous(kBias + kValue.value(), 0x2000);
    Type integer;
    integer.kind = TypeKind::kInteger;
    integer.name = "int";
    integer.size = 4;
    integer.is_signed = true;
    Type pointer;
    pointer.kind = TypeKind::kPointer;
    pointer.size = 8;
    program_->AddVariable("level", kValue, 4, program_->AddType(integer));
    program_->AddVariable("handler", kPointer, 8, program_->AddType(pointer));
    program_->AddVariable("table", kOther, 8);  // of unknown type
    program_->AddFunction("work", FakeProgram::kText, 16);
    program_->AddFunction("rest", FakeProgram::kText + 16, 16);
  }

  void Set(int level, uint64_t handler) {
    image_.WriteValue(kBias + kValue.value(), level);
    image_.WriteWord(kBias + kPointer.value(), handler);
  }
  static uint64_t At(FileAddr place) { return (kBias + place.value()).value(); }

  // After looks at these levels and handlers, in one process.
  std::vector<std::string> After(const std::vector<std::pair<int, uint64_t>>& states) {
    LearnedInvariants learned(program_);
    for (const auto& [level, handler] : states) {
      Set(level, handler);
      learned.Look(1, image_, kBias);
    }
    return learned.Expressions();
  }

  using Texts = std::vector<std::string>;

  std::shared_ptr<FakeProgram> program_;
  checkpoint::FakeImage image_;
};

TEST_F(LearnedInvariantsTest, WhatTheFileHasIsNotLearned) {
  program_->PutWord(kValue, 5);
  program_->AddRelocation(kPointer, R_X86_64_RELATIVE, FakeProgram::kText);
  EXPECT_EQ(After({{5, At(FakeProgram::kText)}}), Texts{});
}

TEST_F(LearnedInvariantsTest, AConstantAndAFunction) {
  EXPECT_EQ(After({{-7, At(FakeProgram::kText)}, {-7, At(FakeProgram::kText)}}),
            (Texts{"handler == work", "level == -7"}));
}

TEST_F(LearnedInvariantsTest, ARangeOfWhatRisesAndFalls) {
  EXPECT_EQ(After({{2, 0}, {9, 0}, {3, 0}}), Texts{"level >= 2 && level <= 9"});
}

TEST_F(LearnedInvariantsTest, ACounterHasNone) {
  EXPECT_EQ(After({{2, 0}, {3, 0}, {9, 0}}), Texts{});
}

TEST_F(LearnedInvariantsTest, AWideRangeIsNone) {
  EXPECT_EQ(After({{2, 0}, {5000, 0}, {3, 0}}), Texts{});
}

TEST_F(LearnedInvariantsTest, SeveralTargetsAreNamed) {
  EXPECT_EQ(After({{0, 0}, {0, At(FakeProgram::kText + 16)}, {0, At(kOther)}}),
            Texts{"handler == &table || handler == 0 || handler == rest"});
}

TEST_F(LearnedInvariantsTest, MemoryWithoutANameIsOnlyNotNull) {
  EXPECT_EQ(After({{0, 0x7000}, {0, 0x8000}}), Texts{"handler != 0"});
  EXPECT_EQ(After({{0, 0x7000}, {0, 0}}), Texts{});
}

TEST_F(LearnedInvariantsTest, ANumberFallsInOneProcessOrNot) {
  LearnedInvariants learned(program_);
  Set(9, 0);
  learned.Look(1, image_, kBias);
  Set(3, 0);
  learned.Look(2, image_, kBias);
  EXPECT_EQ(learned.Expressions(), Texts{});  // two processes, and neither fell
  Set(2, 0);
  learned.Look(2, image_, kBias);
  EXPECT_EQ(learned.Expressions(), Texts{"level >= 2 && level <= 9"});
}

}  // namespace
}  // namespace mcr::mutator
