#include "mutator/merge/loader_state.h"

#include <elf.h>
#include <link.h>

#include <algorithm>

namespace mcr::mutator {
namespace {

// In glibc's private part of the link map, `l_libname` is the eighth word; the loader puts the list
// entry that it points to right behind the link map, in the same allocation (elf/dl-object.c).
constexpr uint64_t kLibnameOffset = 7 * sizeof(uint64_t);
constexpr uint64_t kLargestLinkMap = 4096;   // bytes; glibc 2.31 to 2.41 have less than 1200
constexpr size_t kMostDynamicEntries = 256;  // linkers make some 30
constexpr size_t kMostModules = 4096;

// Only programs have a DT_DEBUG that is filled in.
std::optional<Addr> FindDebug(const checkpoint::ProcessImage& image, Addr dynamic) {
  if (dynamic.IsNull()) return std::nullopt;
  for (size_t i = 0; i < kMostDynamicEntries; ++i) {
    const auto entry = image.ReadValue<Elf64_Dyn>(dynamic + i * sizeof(Elf64_Dyn));
    if (!entry || entry->d_tag == DT_NULL) return std::nullopt;
    if (entry->d_tag == DT_DEBUG && entry->d_un.d_ptr != 0) return Addr(entry->d_un.d_ptr);
  }
  return std::nullopt;
}

Addr ToAddr(const void* pointer) { return Addr(reinterpret_cast<uint64_t>(pointer)); }

}  // namespace

LinkMaps LinkMaps::Find(const checkpoint::ProcessImage& image, const LoadedModules& modules) {
  LinkMaps maps;
  for (const LoadedModule& module : modules.all()) {
    const auto debug = FindDebug(image, module.dynamic);
    if (!debug) continue;
    const auto state = image.ReadValue<r_debug>(*debug);
    if (!state) continue;
    Addr at = ToAddr(state->r_map);
    while (!at.IsNull() && maps.addresses_.size() < kMostModules) {
      const auto map = image.ReadValue<link_map>(at);
      const auto libname = image.ReadValue<uint64_t>(at + kLibnameOffset);
      if (!map || !libname) break;
      maps.addresses_.emplace(at, ToAddr(map->l_ld));
      // The loader's own is a variable of it, and has its name elsewhere.
      if (Addr(*libname) >= at && Addr(*libname) - at <= kLargestLinkMap) {
        maps.maps_.push_back({ToAddr(map->l_ld), *Range<Addr>::FromTo(at, Addr(*libname))});
      }
      at = ToAddr(map->l_next);
    }
    return maps;
  }
  return maps;
}

std::optional<Range<Addr>> LinkMaps::Of(const LoadedModule& module) const {
  const auto found = std::ranges::find(maps_, module.dynamic, &Entry::dynamic);
  if (found == maps_.end()) return std::nullopt;
  return found->range;
}

}  // namespace mcr::mutator
