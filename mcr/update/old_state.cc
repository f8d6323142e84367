#include "mcr/update/old_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

#include "checkpoint/graft/memory_patch.h"
#include "checkpoint/graft/plan.h"
#include "mcr/base/memory_reader.h"
#include "tracer/sys/parallel.h"

namespace mcr::update {
namespace {

using checkpoint::MemoryPatch;

// What has been read already of what is going to be overwritten is not read again.
class ReadBefore : public MemoryReader {
 public:
  ReadBefore(const MemoryPatch& patch, const MemoryReader& memory)
      : patch_(patch), memory_(memory) {}

  Status Read(Addr from, std::span<std::byte> into) const override {
    const auto& spans = patch_.spans();
    const auto behind = std::ranges::upper_bound(spans, from, {}, &MemoryPatch::Span::at);
    if (behind == spans.begin()) return memory_.Read(from, into);
    const MemoryPatch::Span& span = *std::prev(behind);
    const uint64_t offset = from - span.at;
    if (span.before.size() < offset + into.size()) return memory_.Read(from, into);
    std::ranges::copy(std::span(span.before).subspan(offset, into.size()), into.begin());
    return {};
  }

 private:
  const MemoryPatch& patch_;
  const MemoryReader& memory_;
};

}  // namespace

Result<OldState> OldState::Remember(const mutator::MergePlan& plan,
                                    const checkpoint::GraftPreparation& preparation,
                                    const Images& live,
                                    const std::vector<mutator::ProcessPair>& pairs,
                                    const cpu_set_t& helpers) {
  OldState state;
  std::vector<Process*> processes(plan.graft.processes.size());
  for (size_t i = 0; i < processes.size(); ++i) {
    const checkpoint::ProcessGraft& graft = plan.graft.processes[i];
    const auto image =
        std::ranges::find(live, graft.pid, [](const auto& each) { return each->pid(); });
    if (image == live.end()) continue;
    const mutator::ProcessPair& pair = pairs[static_cast<size_t>(image - live.begin())];
    std::unique_ptr<const mutator::StartCheck> start;
    if (pair.base != nullptr) start = std::make_unique<mutator::StartCheck>(*pair.base, **image);
    Process process{**image, std::move(start), graft, plan.accounts[i], {}};
    processes[i] = &state.processes_.emplace(graft.pid, std::move(process)).first->second;
  }
  MCR_TRY(tracer::InParallel(processes.size(), helpers, [&](size_t i) -> Status {
    if (processes[i] == nullptr) return {};
    const ReadBefore before(preparation.patches[i], processes[i]->live);
    MCR_ASSIGN(processes[i]->overwritten, mutator::Overwritten::Copy(processes[i]->graft, before));
    return {};
  }));
  return state;
}

const OldState::Process* OldState::Find(pid_t pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

}  // namespace mcr::update
