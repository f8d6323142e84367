// Plans over real code: testdata/loop.c, by two compilers at two levels of optimisation.
#include "mutator/merge/stack/frame_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/frame_flow.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/stack/frame_plan.h"

namespace mcr::mutator {
namespace {

constexpr char kData[] = "mutator/merge/stack/loop_";

class FramePlannerTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    before_ = Program::Load(kData + GetParam() + "_v1", {}).value();
    after_ = Program::Load(kData + GetParam() + "_v2", {}).value();
    planner_ = FramePlanner::Create(before_, after_, {}).value();
  }

  static const Function& Find(const Program& program, const std::string& name) {
    return *std::ranges::find(program.functions(), name, &Function::name);
  }

  // Where calls of `callee` in `caller` return to: a direct call is e8 and a distance.
  static std::vector<FileAddr> Returns(const Program& program, const std::string& caller,
                                       const std::string& callee) {
    const Function& from = Find(program, caller);
    const FileAddr target = Find(program, callee).range.begin();
    const auto code = program.Contents(from.range.begin());
    std::vector<FileAddr> found;
    for (uint64_t at = 0; at + 5 <= from.range.size(); ++at) {
      int32_t distance = 0;
      std::memcpy(&distance, code.data() + at + 1, sizeof distance);
      const FileAddr end = from.range.begin() + at + 5;
      const bool same = end + static_cast<uint64_t>(int64_t{distance}) == target;
      if (code[at] == std::byte{0xe8} && same) found.push_back(end);
    }
    return found;
  }

  bool is_optimised() const { return GetParam().ends_with("-O2"); }

  const Result<FramePlan>& PlanCall(const std::string& caller, size_t which = 0) {
    return planner_->Plan(Returns(*before_, caller, "wait_for_work").at(which));
  }

  static const CarriedVariable* Carried(const FramePlan& plan, const std::string& name) {
    const auto found = std::ranges::find(plan.carried, name, &CarriedVariable::name);
    return found == plan.carried.end() ? nullptr : &*found;
  }

  std::shared_ptr<const Program> before_, after_;
  std::unique_ptr<FramePlanner> planner_;
};

TEST_P(FramePlannerTest, TheSameCallIsFoundInTheNewFunction) {
  const auto& plan = PlanCall("serve");
  ASSERT_TRUE(plan) << plan.error().Line();
  EXPECT_EQ(plan->new_return, Returns(*after_, "serve", "wait_for_work").at(0));
  EXPECT_LT(plan->new_stack, plan->old_stack) << "the frame grows";
  EXPECT_TRUE(plan->never_returns);
}

TEST_P(FramePlannerTest, LocalsAndParametersAreCarriedByName) {
  const auto& plan = PlanCall("serve");
  ASSERT_TRUE(plan) << plan.error().Line();
  const CarriedVariable* step = Carried(*plan, "step");
  const CarriedVariable* descriptor = Carried(*plan, "descriptor");
  ASSERT_TRUE(step && descriptor) << Describe(*plan);
  EXPECT_TRUE(step->required && descriptor->required);
  EXPECT_EQ(step->size, 8u);
  EXPECT_EQ(descriptor->size, 4u);
}

TEST_P(FramePlannerTest, ANewLocalThatIsReadComesFromTheNewVersion) {
  const auto& plan = PlanCall("serve");
  ASSERT_TRUE(plan) << plan.error().Line();
  EXPECT_TRUE(plan->problems.empty()) << Describe(*plan);
  // Optimised code may keep it as something that debug information has no name for.
  EXPECT_TRUE(std::ranges::any_of(plan->modelled, [&](const ModelledValue& each) {
    return each.what == "variable `printed`" ||
           (is_optimised() && each.what.starts_with("what register"));
  })) << Describe(*plan);
}

TEST_P(FramePlannerTest, AFunctionThatReturnsKeepsItsCallersRegisters) {
  const auto& plan = PlanCall("serve_counted");
  ASSERT_TRUE(plan) << plan.error().Line();
  EXPECT_FALSE(plan->never_returns);
  for (int number = 0; number < kRegisterCount; ++number) {
    const auto index = static_cast<size_t>(number);
    if (plan->new_own & Bit(number)) {
      EXPECT_TRUE(plan->new_saved[index]) << kRegisterNames[index];
    }
  }
}

// An old variable is never made up: its value is known, or the new code cannot go on.
TEST_P(FramePlannerTest, NothingThatTheOldVersionHasComesFromTheNewOne) {
  const auto& plan = PlanCall("serve_counted");
  ASSERT_TRUE(plan) << plan.error().Line();
  EXPECT_TRUE(plan->modelled.empty()) << Describe(*plan);
  if (is_optimised()) return;
  EXPECT_TRUE(plan->problems.empty()) << Describe(*plan);
  for (const char* name : {"descriptor", "count", "sum", "i"}) {
    EXPECT_TRUE(Carried(*plan, name)) << name << "\n" << Describe(*plan);
  }
}

TEST_P(FramePlannerTest, ACallThatTheNewFunctionDoesNotMakeHasNoPlan) {
  const auto& plan = PlanCall("serve_once");
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().what.find("wait_for_work"), std::string::npos);
}

TEST_P(FramePlannerTest, ACallThatMayBeEitherOfTwoHasNoPlan) {
  EXPECT_FALSE(PlanCall("serve_twice", 0));
  EXPECT_FALSE(PlanCall("serve_twice", 1));
}

INSTANTIATE_TEST_SUITE_P(Compilers, FramePlannerTest,
                         testing::Values("gcc-O0", "gcc-O2", "clang-O0", "clang-O2"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace mcr::mutator
