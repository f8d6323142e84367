#include "mcr/update/running_merge.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "checkpoint/live_image.h"

namespace mcr::update {

mutator::Merger MakeMerger(const Inspection& server) {
  return mutator::Merger(server.modules, {.strict = server.strict});
}

namespace {

constexpr int kAttempts = 8;
constexpr std::chrono::milliseconds kBetween{50};

// Of `problems`, those that there were before.
void KeepCommon(const std::vector<std::string>& before, std::vector<std::string>& problems) {
  std::erase_if(problems, [&](const std::string& problem) {
    return std::ranges::find(before, problem) == before.end();
  });
}

Result<mutator::MergePlan> MergeOnce(const Inspection& server, const Rehearsals& rehearsals,
                                     mutator::Merger& merger) {
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images;
  std::vector<mutator::ProcessPair> pairs;
  for (size_t i = 0; i < server.pids.size(); ++i) {
    auto running = checkpoint::LiveImage::CreateRunning(server.pids[i]);
    // Servers have processes that come and go.
    if (!running && i > 0 && running.error().os_error == ESRCH) continue;
    MCR_ASSIGN(auto image, std::move(running));
    // Without stacks nobody knows who corresponds to whom; the trees are in the order in which they
    // were started.
    pairs.push_back(rehearsals.PairFor(*image, i));
    images.push_back(std::move(image));
  }
  return merger.Merge(pairs);
}

}  // namespace

Result<mutator::MergePlan> MergeRunning(const Inspection& server, const Rehearsals& rehearsals,
                                        mutator::Merger& merger) {
  std::optional<std::vector<std::string>> lasting;
  for (int attempt = 1;; ++attempt) {
    auto plan = MergeOnce(server, rehearsals, merger);
    if (plan) {
      const bool may_pass = plan->ProblemsMayPass();
      if (lasting) KeepCommon(*lasting, plan->problems);
      plan->passing_problems = may_pass ? plan->problems.size() : 0;
      lasting = plan->problems;
    }
    if (attempt == kAttempts || (plan && plan->problems.empty())) return plan;
    std::this_thread::sleep_for(kBetween);
  }
}

}  // namespace mcr::update
