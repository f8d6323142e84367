#include "mcr/update/old_state.h"

#include <utility>

namespace mcr::update {

OldState::OldState(const Rehearsals& rehearsals) {
  if (!rehearsals.base()) return;
  for (const auto& start : rehearsals.base()->start.images) {
    start_modules_.emplace(start.get(), mutator::LoadedModules::Find(*start));
  }
}

Status OldState::Remember(const checkpoint::ProcessGraft& graft, const mutator::Account& account,
                          const checkpoint::MemoryPatch& patch, const checkpoint::LiveImage& live,
                          const checkpoint::ProcessImage* base) {
  std::unique_ptr<const mutator::StartCheck> start;
  if (base != nullptr) {
    start = std::make_unique<mutator::StartCheck>(*base, start_modules_.at(base), live);
  }
  MCR_ASSIGN(auto overwritten, mutator::Overwritten::Copy(graft, patch, live));
  processes_.emplace(graft.pid,
                     Process{live, std::move(start), graft, account, std::move(overwritten)});
  return {};
}

const OldState::Process* OldState::Find(pid_t pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

}  // namespace mcr::update
