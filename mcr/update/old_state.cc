#include "mcr/update/old_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"

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

OldState::OldState(const Rehearsals& rehearsals) {
  if (!rehearsals.base()) return;
  for (const auto& start : rehearsals.base()->start.images) {
    start_modules_.emplace(start.get(), mutator::LoadedModules::Find(*start));
  }
}

Status OldState::Remember(const checkpoint::ProcessGraft& graft, const mutator::Account& account,
                          const MemoryPatch& patch, const checkpoint::LiveImage& live,
                          const checkpoint::ProcessImage* base) {
  std::unique_ptr<const mutator::StartCheck> start;
  if (base != nullptr) {
    start = std::make_unique<mutator::StartCheck>(*base, start_modules_.at(base), live);
  }
  MCR_ASSIGN(auto overwritten, mutator::Overwritten::Copy(graft, ReadBefore(patch, live)));
  processes_.emplace(graft.pid,
                     Process{live, std::move(start), graft, account, std::move(overwritten)});
  return {};
}

const OldState::Process* OldState::Find(pid_t pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

}  // namespace mcr::update
