#include "mutator/validate/start_check.h"

#include <algorithm>
#include <cstring>

#include "mcr/base/bytes.h"
#include "mcr/base/mapping.h"

namespace mcr::mutator {
namespace {

constexpr size_t kWord = 8;

bool SameFile(const LoadedModule& a, const LoadedModule& b) {
  return a.build_id.empty() ? a.path == b.path : a.build_id == b.build_id;
}

}  // namespace

StartCheck::StartCheck(const checkpoint::ProcessImage& base, const LoadedModules& base_modules,
                       const checkpoint::ProcessImage& live)
    : base_(base),
      base_memory_(base),
      live_(live),
      base_modules_(base_modules),
      live_modules_(LoadedModules::Find(live)),
      live_words_(live, live_modules_),
      base_words_(base, base_modules) {}

const LoadedModule* StartCheck::InBase(const VersionPair& versions,
                                       const Account::Module& module) const {
  const LoadedModule* live = live_modules_.At(module.before.begin());
  const std::string& build_id = versions.before().build_id();
  const auto& all = base_modules_.all();
  const auto found = std::ranges::find_if(all, [&](const LoadedModule& each) {
    return build_id.empty() ? live != nullptr && each.path == live->path
                            : each.build_id == build_id;
  });
  return found == all.end() ? nullptr : &*found;
}

bool StartCheck::IsTouched(const VersionPair& versions, const Account::Module& module, FileAddr at,
                           std::span<const std::byte> value) const {
  const LoadedModule* same = InBase(versions, module);
  return same != nullptr && Differs(same->bias + at.value(), value);
}

bool StartCheck::IsTouchedOnHeap(Addr at, std::span<const std::byte> value) const {
  return Differs(base_.layout().start_brk + (at - live_.layout().start_brk), value);
}

bool StartCheck::Differs(Addr in_base, std::span<const std::byte> value) const {
  start_.resize(value.size());
  const std::span<std::byte> start(start_);
  if (!base_memory_.Read(in_base, start) || SameBytes(value, start)) return false;
  for (size_t offset = 0; offset < value.size();) {
    const size_t size = std::min(kWord - (in_base + offset).value() % kWord, value.size() - offset);
    uint64_t ours = 0, theirs = 0;
    std::memcpy(&ours, value.data() + offset, size);
    std::memcpy(&theirs, start.data() + offset, size);
    if (ours != theirs && (size < kWord || !MayBeSame(ours, theirs))) return true;
    offset += size;
  }
  return false;
}

// One past the end of a file is as well a pointer of C. What neither has from a file (an
// allocation, the loader's record of a module) cannot be compared.
bool StartCheck::MayBeSame(uint64_t live, uint64_t base) const {
  if (live_words_.MaySay(live, base_words_, base)) return true;
  const auto at = [](const LoadedModules& modules, uint64_t word) {
    const LoadedModule* module = modules.At(Addr(word));
    return module != nullptr || word == 0 ? module : modules.At(Addr(word - 1));
  };
  const LoadedModule* ours = at(live_modules_, live);
  const LoadedModule* theirs = at(base_modules_, base);
  if (ours == nullptr && theirs == nullptr) {
    return FindMapping(live_.mappings(), Addr(live)) != nullptr &&
           FindMapping(base_.mappings(), Addr(base)) != nullptr;
  }
  return ours != nullptr && theirs != nullptr && SameFile(*ours, *theirs) &&
         live - ours->bias.value() == base - theirs->bias.value();
}

}  // namespace mcr::mutator
