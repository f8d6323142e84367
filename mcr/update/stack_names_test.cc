#include "mcr/update/stack_names.h"

#include <gtest/gtest.h>

namespace mcr::update {
namespace {

TEST(MostAlike, TakesTheStackThatSharesTheMostInnermostFunctions) {
  const StackNames worker{"wait", "events", "worker_cycle", "spawn", "main"};
  const StackNames manager{"wait", "events", "manager_cycle", "spawn", "main"};
  const StackNames master{"suspend", "master_cycle", "main"};
  const StackNames respawned{"wait", "events", "worker_cycle", "spawn", "reap", "main"};
  EXPECT_EQ(MostAlike(respawned, {master, manager, worker}), 2u);
  EXPECT_EQ(MostAlike(master, {master, manager, worker}), 0u);
  EXPECT_EQ(MostAlike({"unknown"}, {master, manager}), 0u);
}

}  // namespace
}  // namespace mcr::update
