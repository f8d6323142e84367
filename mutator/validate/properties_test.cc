// What holds of every merge, and of every validation, tried on servers made at random. A failure
// names the seed that it can be repeated with.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/account.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/fake_mapping.h"
#include "mutator/merge/fake_program.h"
#include "mutator/merge/merge.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/validate/before_memory.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/random_server.h"
#include "mutator/validate/start_check.h"
#include "mutator/validate/state_check.h"
#include "mutator/validate/version_pair.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr auto& kPath = kFakeProgramPath;
constexpr uint64_t kSeeds = 300;

MergePlan Merge(const RandomVersion& from, const RandomVersion& to, const FakeImage& live,
                const FakeImage& next, const FakeImage* base = nullptr) {
  auto map =
      std::make_shared<AddressMap>(from.program, to.program, std::make_unique<FakeComparer>());
  Merger merger({{from.program, to.program, kPath, kPath, kPath, std::move(map), true, nullptr}});
  const ProcessPair pair{&live, &next, base, base};
  auto plan = merger.Merge({pair});
  if (!plan) throw std::logic_error(plan.error().Line());
  return *std::move(plan);
}

std::string FirstProblem(const MergePlan& plan) {
  return plan.problems.empty() ? "" : plan.problems.front();
}

// What the checks find wrong with a process that has carried out this plan.
std::vector<std::string> Validate(const RandomVersion& from, const RandomVersion& to,
                                  const FakeImage& live, const MergePlan& plan,
                                  const AppliedPlan& applied, const FakeImage* base = nullptr) {
  std::vector<std::unique_ptr<VersionPair>> versions;
  versions.push_back(
      std::make_unique<VersionPair>(from.program, to.program, profiles::Annotations()));
  // As it is before commit: the old program is still there.
  FakeImage after = applied.image;
  RandomServer::CopyProgram(live, RandomServer::kLive, after);
  const Overwritten overwritten = Overwritten::Copy(plan.graft.processes.front(), {}, live).value();
  std::optional<StartCheck> start;
  const LoadedModules base_modules = base == nullptr ? LoadedModules() : LoadedModules::Find(*base);
  if (base != nullptr) start.emplace(*base, base_modules, live);
  const Findings findings = CheckState({live,
                                        after,
                                        overwritten,
                                        start ? &*start : nullptr,
                                        plan.accounts.front(),
                                        applied.allocations,
                                        {},
                                        false},
                                       versions)
                                .value();
  std::vector<std::string> wrong;
  for (const Finding* finding :
       {&findings.values, &findings.code_pointers, &findings.data_pointers, &findings.heap}) {
    wrong.insert(wrong.end(), finding->wrong.begin(), finding->wrong.end());
  }
  return wrong;
}

// nullopt: the way back is refused. What objects that shrink leave of themselves in their blocks
// may be taken for more of them, or for others.
std::optional<std::string> ThereAndBack(uint64_t seed) {
  const RandomServer server(seed);
  const FakeImage next = RandomServer::Start(RandomServer::kNext);
  const MergePlan there = Merge(server.before(), server.after(), server.live(), next);
  if (!there.problems.empty()) return FirstProblem(there);
  const AppliedPlan updated = Apply(there.graft.processes.front(), server.live());
  const MergePlan back = Merge(server.after(), server.before(), updated.image, next);
  if (!back.problems.empty()) return std::nullopt;
  const AppliedPlan again = Apply(back.graft.processes.front(), updated.image);
  return Difference(server, server.before(), server.after(), server.live(), RandomServer::kLive,
                    again.image, again.bias);
}

TEST(ThereAndBackAgain, EverythingIsAsItWas) {
  uint64_t refused = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::optional<std::string> difference = ThereAndBack(seed);
    EXPECT_EQ(difference.value_or(""), "") << "seed " << seed;
    if (!difference) ++refused;
  }
  EXPECT_LT(refused, kSeeds / 8);
}

class Properties : public testing::TestWithParam<uint64_t> {};

TEST_P(Properties, WhatAMergeHasDoneIsValid) {
  const RandomServer server(GetParam());
  const FakeImage next = RandomServer::Start(RandomServer::kNext);
  const MergePlan plan = Merge(server.before(), server.after(), server.live(), next);
  ASSERT_EQ(FirstProblem(plan), "");
  EXPECT_EQ(Validate(server.before(), server.after(), server.live(), plan,
                     Apply(plan.graft.processes.front(), server.live())),
            std::vector<std::string>());
}

TEST_P(Properties, ABitThatIsWrongIsFound) {
  const RandomServer server(GetParam());
  const FakeImage next = RandomServer::Start(RandomServer::kNext);
  const MergePlan plan = Merge(server.before(), server.after(), server.live(), next);
  ASSERT_EQ(FirstProblem(plan), "");
  AppliedPlan applied = Apply(plan.graft.processes.front(), server.live());
  std::vector<Addr> changed;
  for (const Account::Object& object : plan.accounts.front().objects) {
    changed.push_back(object.before.begin());
  }
  const auto places = server.SharedPlaces(applied.image, applied.bias, changed);
  const auto& place = places[GetParam() % places.size()];
  const Addr at = place.at + GetParam() / places.size() % place.size;
  const auto byte = applied.image.ReadValue<uint8_t>(at).value();
  applied.image.WriteValue(at, static_cast<uint8_t>(byte ^ (1u << GetParam() % 8)));
  EXPECT_FALSE(Validate(server.before(), server.after(), server.live(), plan, applied).empty())
      << place.name;
}

TEST_P(Properties, TheSameVersionKeepsEverythingThatIsLive) {
  const RandomServer server(GetParam());
  const FakeImage base = RandomServer::Start(RandomServer::kNext);
  const MergePlan plan = Merge(server.before(), server.before(), server.live(), base, &base);
  ASSERT_EQ(FirstProblem(plan), "");
  const AppliedPlan updated = Apply(plan.graft.processes.front(), server.live());
  EXPECT_EQ(Difference(server, server.before(), server.before(), server.live(), RandomServer::kLive,
                       updated.image, updated.bias),
            "");
}

TEST_P(Properties, WhatTheServerHasNotTouchedComesFromTheNewVersion) {
  const RandomServer server(GetParam());
  const FakeImage live = server.Start(RandomServer::kLive, 1);
  const FakeImage base = server.Start(RandomServer::kBase, 1);
  const FakeImage next = server.Start(RandomServer::kNext, 2);
  const MergePlan plan = Merge(server.before(), server.before(), live, next, &base);
  ASSERT_EQ(FirstProblem(plan), "");
  const AppliedPlan updated = Apply(plan.graft.processes.front(), live);
  EXPECT_EQ(Difference(server, server.before(), server.before(), next, RandomServer::kNext,
                       updated.image, updated.bias),
            "");
  EXPECT_EQ(Validate(server.before(), server.before(), live, plan, updated, &base),
            std::vector<std::string>());
}

TEST_P(Properties, AVariableThatTheServerHasTouchedIsMissedWhereItIsNotKept) {
  const RandomServer server(GetParam());
  const FakeImage base = server.Start(RandomServer::kBase, 1);
  const FakeImage next = server.Start(RandomServer::kNext, 2);
  MergePlan plan = Merge(server.before(), server.before(), server.live(), next, &base);
  ASSERT_EQ(FirstProblem(plan), "");
  const AppliedPlan updated = Apply(plan.graft.processes.front(), server.live());
  const FileAddr root = server.before().variables.begin()->second;
  plan.accounts.front().from_next.push_back(
      *Range<Addr>::FromSize(RandomServer::kLive + root.value(), 8));
  EXPECT_FALSE(
      Validate(server.before(), server.before(), server.live(), plan, updated, &base).empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Properties, testing::Range(uint64_t{0}, kSeeds),
                         [](const auto& info) { return "Seed" + std::to_string(info.param); });

}  // namespace
}  // namespace mcr::mutator
