#include "mcr/update/running_merge.h"

#include <memory>
#include <utility>
#include <vector>

#include "checkpoint/live_image.h"

namespace mcr::update {

mutator::MergeInput InputFor(const Inspection& server) {
  // The sandbox shows the new program under the old one's path.
  return {server.before, server.after, server.executable, server.executable, {}};
}

Result<mutator::MergePlan> MergeRunning(const Inspection& server, const Rehearsed& next) {
  mutator::MergeInput input = InputFor(server);
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images;
  for (pid_t pid : server.pids) {
    MCR_ASSIGN(auto image, checkpoint::LiveImage::CreateRunning(pid));
    input.processes.push_back({image.get(), next.images.front().get()});
    images.push_back(std::move(image));
  }
  return mutator::Merger(server.addresses, std::move(input)).Merge();
}

}  // namespace mcr::update
