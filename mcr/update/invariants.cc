#include "mcr/update/invariants.h"

#include <fmt/format.h>

#include "checkpoint/live_image.h"
#include "mcr/base/memory_reader.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::update {
namespace {

using mutator::StateFilter;

bool Holds(const StateFilter& filter, const MemoryReader& memory,
           const mutator::LoadedModules& loaded) {
  const auto verdict = filter.Evaluate(memory, loaded);
  return verdict && *verdict && (*verdict)->holds;
}

}  // namespace

Invariants Invariants::Of(const Inspection& server) {
  Invariants invariants;
  if (!server.profile) return invariants;
  for (const std::string& expression : server.profile->learned().invariants()) {
    auto before = StateFilter::Create(expression, {{server.before, server.executable}});
    auto after = StateFilter::Create(expression, {{server.after, server.new_program}});
    if (before && after) {
      invariants.all_.push_back({*std::move(before), *std::move(after), {}});
    }
  }
  return invariants;
}

void Invariants::Note(const std::vector<pid_t>& processes) {
  if (all_.empty()) return;
  for (const pid_t pid : processes) {
    const auto image = checkpoint::LiveImage::CreateRunning(pid);
    if (!image) continue;  // it has ended
    const auto loaded = mutator::LoadedModules::Find(**image);
    for (Invariant& invariant : all_) {
      if (Holds(invariant.before, **image, loaded)) invariant.processes.insert(pid);
    }
  }
}

Invariants::Seen Invariants::Check(const checkpoint::ProcessImage& after) const {
  Seen seen;
  if (all_.empty()) return seen;
  const auto loaded = mutator::LoadedModules::Find(after);
  for (const Invariant& invariant : all_) {
    if (!invariant.processes.contains(after.pid())) continue;
    const auto verdict = invariant.after.Evaluate(after, loaded);
    ++seen.checked;
    if (verdict && (!*verdict || (*verdict)->holds)) continue;
    const std::string why = verdict ? mutator::Text((*verdict)->values) : verdict.error().Line();
    seen.ended.push_back(
        fmt::format("`{}` was always true, and now {}", invariant.after.expression(), why));
  }
  return seen;
}

}  // namespace mcr::update
