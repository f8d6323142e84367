#include "mcr/update/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "checkpoint/live_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/merge/left_behind.h"
#include "tracer/sys/affinity.h"

namespace mcr::update {

Status Validator::Add(const tracer::TracedProcess& process) {
  // Registers are read here, since ptrace is bound to this thread.
  MCR_ASSIGN(auto threads, checkpoint::ReadThreads(process));
  const auto graft =
      std::ranges::find(plan_.processes, process.pid, &checkpoint::ProcessGraft::pid);
  if (graft == plan_.processes.end()) return {};
  const auto before =
      std::ranges::find(before_, process.pid, [](const auto& image) { return image->pid(); });
  if (before == before_.end()) return {};
  std::vector<Range<Addr>> old = graft->unmap;
  std::ranges::sort(old);
  const bool skip_shared = !running_.empty();
  running_.push_back(std::async(
      std::launch::async,
      [this, skip_shared, pid = process.pid, threads = std::move(threads), old = std::move(old),
       &before = **before]() -> LeftBehind {
        tracer::MoveTo(processors_);
        MCR_ASSIGN(const auto image,
                   checkpoint::LiveImage::CreateStopped(pid, threads, before.epoll_sets()));
        return mutator::FindLeftBehind(*image, old, skip_shared, watch_.MemoFor(pid));
      }));
  return {};
}

Status Validator::Finish() {
  std::vector<std::string> found;
  Status failed;
  for (auto& process : running_) {
    const LeftBehind left = process.get();
    if (!left) {
      failed = tl::make_unexpected(left.error());
    } else {
      found.insert(found.end(), left->begin(), left->end());
    }
  }
  running_.clear();
  if (!failed) return failed;
  if (found.empty()) return {};
  return Fail(found.front(), fmt::format("{} in all", found.size()),
              "please report this: the merge should have found it");
}

}  // namespace mcr::update
