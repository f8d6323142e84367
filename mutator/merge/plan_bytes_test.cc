#include "mutator/merge/plan_bytes.h"

#include <gtest/gtest.h>

namespace mcr::mutator {
namespace {

MergePlan OnePlan() {
  MergePlan plan;
  plan.graft.new_files = {"/srv/server"};
  checkpoint::ProcessGraft& graft = plan.graft.processes.emplace_back();
  graft.pid = 7;
  graft.writes.AddWord(Addr(0x1000), 1);
  graft.epoll.push_back({{5, 6, 1, 0x10}, {5, 6, 1, 0x20}});
  return plan;
}

TEST(PlanBytesTest, TheSamePlanIsTheSameBytes) {
  EXPECT_EQ(Serialise(OnePlan()), Serialise(OnePlan()));
  EXPECT_EQ(Digest(OnePlan()), Digest(OnePlan()));
  EXPECT_EQ(Digest(OnePlan()).size(), 64u);
}

TEST(PlanBytesTest, EveryPartCounts) {
  const auto changed = [](auto change) {
    MergePlan plan = OnePlan();
    change(plan);
    return Digest(plan) != Digest(OnePlan());
  };
  EXPECT_TRUE(changed([](MergePlan& plan) { plan.graft.new_files.push_back("2"); }));
  EXPECT_TRUE(changed([](MergePlan& plan) { plan.graft.processes[0].pid = 8; }));
  EXPECT_TRUE(changed([](MergePlan& plan) { plan.graft.processes[0].epoll[0].after.data = 3; }));
  EXPECT_TRUE(
      changed([](MergePlan& plan) { plan.graft.processes[0].writes.AddWord(Addr(0x1000), 2); }));
  EXPECT_TRUE(changed([](MergePlan& plan) { plan.graft.processes[0].layout.brk = Addr(1); }));
  EXPECT_TRUE(changed([](MergePlan& plan) { ++plan.pointers.likely; }));
  EXPECT_TRUE(changed([](MergePlan& plan) { plan.problems.push_back("a"); }));
}

TEST(PlanBytesTest, WhatMovesFromOneListToAnotherCounts) {
  MergePlan one, other;
  one.conflicts = {"a"};
  other.warnings = {"a"};
  EXPECT_NE(Digest(one), Digest(other));
}

}  // namespace
}  // namespace mcr::mutator
