#include "mcr/profile/learn.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mcr/profile/sighting.h"
#include "profiles/profile.h"

namespace mcr::profile {
namespace {

const Sighting kMaster{1, 1, "rt_sigsuspend", {"master_cycle", "main", "_start"}};

Sighting Worker(pid_t pid) {
  return {pid, pid, "epoll_wait", {"wait.part.0", "events", "worker_cycle", "spawn", "main"}};
}

TEST(Learn, ProcessesThatWaitAtTheSamePointHaveOneRole) {
  const Look look{{1, 2, 3}, {kMaster, Worker(2), Worker(3)}};
  const profiles::Learned learned = Learn({look, look});
  ASSERT_EQ(learned.roles_size(), 2);
  EXPECT_EQ(learned.roles(0).name(), "main");
  const profiles::Role& worker = learned.roles(1);
  EXPECT_EQ(worker.name(), "worker_cycle");
  ASSERT_EQ(worker.quiescent_points_size(), 1);
  const profiles::QuiescentPoint& point = worker.quiescent_points(0);
  EXPECT_EQ(point.system_call(), "epoll_wait");
  EXPECT_EQ(std::vector<std::string>(point.call_stack().begin(), point.call_stack().end()),
            (std::vector<std::string>{"wait", "events", "worker_cycle"}));
}

TEST(Learn, WhatWasSeenOnceIsNoPoint) {
  const Look rest{{1}, {kMaster}};
  const Look busy{{1}, {{1, 1, "write", {"log", "main"}}}};
  const profiles::Learned learned = Learn({rest, busy, rest});
  ASSERT_EQ(learned.roles_size(), 1);
  EXPECT_EQ(learned.roles(0).quiescent_points_size(), 1);
}

TEST(Learn, ProcessesThatCameWithTheWorkAreVolatile) {
  const Look rest{{1}, {kMaster}};
  const Look work{{1, 7}, {kMaster, {7, 7, "poll", {"session"}}}};
  const profiles::Learned learned = Learn({rest, work, work});
  ASSERT_EQ(learned.roles_size(), 2);
  EXPECT_EQ(learned.roles(0).persistence(), profiles::Role::PERSISTENT);
  EXPECT_EQ(learned.roles(1).persistence(), profiles::Role::VOLATILE);
}

TEST(Learn, ThreadsAreOfTheRoleOfTheirProcess) {
  const Look look{{1}, {kMaster, {1, 5, "futex", {"pop", "thread_main"}}, {1, 6, "futex", {}}}};
  const profiles::Learned learned = Learn({look, look});
  ASSERT_EQ(learned.roles_size(), 1);
  ASSERT_EQ(learned.roles(0).quiescent_points_size(), 2);
  EXPECT_EQ(learned.roles(0).quiescent_points(0).thread_class(), "main");
  EXPECT_EQ(learned.roles(0).quiescent_points(1).thread_class(), "thread_main");
}

TEST(KeepHandWritten, NamesAndAnnotationsSurviveALearning) {
  const profiles::Profile known = profiles::ParseProfile(
                                      R"(identity { name: "d" executable: "d*" }
         learned { data_set: "*.db" roles { name: "master" quiescent_points {
           thread_class: "main" system_call: "rt_sigsuspend" call_stack: "master_cycle" } } }
         annotations { drop: "x" })",
                                      "test")
                                      .value();
  const Look look{{1, 2}, {kMaster, Worker(2)}};
  profiles::Profile learned;
  *learned.mutable_learned() = Learn({look, look});
  KeepHandWritten(known, learned);
  EXPECT_EQ(learned.identity().name(), "d");
  EXPECT_EQ(learned.learned().roles(0).name(), "master");
  EXPECT_EQ(learned.learned().roles(1).name(), "worker_cycle");
  EXPECT_EQ(learned.learned().data_set_size(), 1);
  EXPECT_EQ(learned.annotations().drop(0), "x");
}

}  // namespace
}  // namespace mcr::profile
