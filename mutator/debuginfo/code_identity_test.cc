#include "mutator/debuginfo/code_identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {
namespace {

std::shared_ptr<const Program> LoadOrDie(const std::string& name) {
  auto program = Program::Load("mutator/debuginfo/" + name, {});
  if (!program) std::abort();
  return *program;
}

class CodeIdentityTest : public testing::Test {
 protected:
  CodeIdentityTest() : before_(LoadOrDie("program_v1")), after_(LoadOrDie("program_v2")) {
    auto comparer = CodeComparer::Create(before_, after_);
    if (!comparer) std::abort();
    comparer_ = std::move(*comparer);
  }

  static const Function& Find(const Program& program, const std::string& name) {
    const auto found = std::ranges::find(program.functions(), name, &Function::name);
    if (found == program.functions().end()) std::abort();
    return *found;
  }
  const Function& Before(const std::string& name) const { return Find(*before_, name); }
  const Function& After(const std::string& name) const { return Find(*after_, name); }

  std::string BeforeSection(FileAddr at) const { return before_->FindSection(at)->name; }
  std::string AfterSection(FileAddr at) const { return after_->FindSection(at)->name; }

  Result<InstructionMap> Compare(const std::string& name) const {
    return comparer_->Compare(Before(name), After(name));
  }
  // "" if they are the same.
  std::string Difference(const std::string& name) const {
    const auto map = Compare(name);
    return map ? "" : map.error().Line();
  }

 private:
  const std::shared_ptr<const Program> before_;
  const std::shared_ptr<const Program> after_;
  std::unique_ptr<CodeComparer> comparer_;
};

TEST_F(CodeIdentityTest, MovedCodeAndDataAreTheSame) {
  EXPECT_NE(Before("jumps").range.begin(), After("jumps").range.begin());
  for (const char* name : {"next_id", "two_locals", "loops", "scales", "handle", "_start"}) {
    EXPECT_EQ(Difference(name), "") << name;
  }
}

TEST_F(CodeIdentityTest, JumpTablesAreComparedByWhereTheyLead) {
  EXPECT_EQ(Difference("jumps"), "");
  const auto same = Compare("jumps");
  ASSERT_EQ(same->jump_tables().size(), 1u);
  const auto& [ours, theirs] = same->jump_tables().front();
  EXPECT_EQ(BeforeSection(ours), ".rodata");
  EXPECT_EQ(AfterSection(theirs), ".rodata");
}

TEST_F(CodeIdentityTest, AnotherTextInALiteralMovesNothing) {
  EXPECT_EQ(Difference("says_another_text"), "");
}

TEST_F(CodeIdentityTest, AnotherNumberIsADifference) {
  EXPECT_NE(Difference("changes_number").find(" where the new one does "), std::string::npos);
}

TEST_F(CodeIdentityTest, AnotherCalleeIsADifference) {
  EXPECT_NE(Difference("calls_another").find("calls_another"), std::string::npos);
}

TEST_F(CodeIdentityTest, AnotherFieldOffsetIsADifference) {
  EXPECT_NE(Difference("sum"), "");  // node_s.value became a long
}

TEST_F(CodeIdentityTest, InstructionsAndReturnAddressesTranslate) {
  const auto map = Compare("loops");
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->Translate(Before("loops").range.begin()), After("loops").range.begin());
  EXPECT_EQ(map->Translate(Before("loops").range.end()), After("loops").range.end());
  EXPECT_EQ(map->Translate(Before("loops").range.end() + 1), std::nullopt);
  EXPECT_EQ(map->Translate(FileAddr(0)), std::nullopt);
}

TEST_F(CodeIdentityTest, TheMiddleOfAnInstructionDoesNotTranslate) {
  const auto map = Compare("loops");
  ASSERT_TRUE(map.has_value());
  const Function& function = Before("loops");
  uint64_t translated = 0;
  for (uint64_t i = 0; i < function.range.size(); ++i) {
    translated += map->Translate(function.range.begin() + i).has_value();
  }
  EXPECT_GT(translated, 10u);
  EXPECT_LT(translated, function.range.size() / 2);
}

}  // namespace
}  // namespace mcr::mutator
