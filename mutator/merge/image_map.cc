#include "mutator/merge/image_map.h"

#include <algorithm>
#include <iterator>

namespace mcr::mutator {
namespace {

Range<NextAddr> InNext(Range<Addr> range) {
  return *Range<NextAddr>::FromTo(NextAddr(range.begin().value()), NextAddr(range.end().value()));
}

}  // namespace

Result<ImageMap> ImageMap::Create(const LoadedModules& next, const Mappings& next_mappings,
                                  const LoadedModules& live, std::span<const Moved> moved) {
  ImageMap map;
  for (const LoadedModule& module : next.all()) {
    Addr to;
    const auto exchanged = std::ranges::find(moved, module.range, &Moved::from);
    if (exchanged != moved.end()) {
      to = exchanged->to;
    } else {
      const LoadedModule* same = live.ByPath(module.path);
      if (same == nullptr) {
        return Fail("a fresh start loads a library that the server does not have", module.path,
                    "restart the server for this update");
      }
      if (same->build_id != module.build_id) {
        return Fail("a library changed on disk while this update was prepared", module.path,
                    "try again");
      }
      to = same->range.begin();
    }
    map.entries_.push_back({InNext(module.range), true, LiveAddr(to.value())});
  }
  for (const Mapping& mapping : next_mappings) {
    if (next.At(mapping.range.begin()) != nullptr) continue;
    map.entries_.push_back({InNext(mapping.range), false, LiveAddr()});
  }
  std::ranges::sort(map.entries_, {}, [](const Entry& entry) { return entry.from.begin(); });
  return map;
}

void ImageMap::AddObject(Range<Addr> next, Addr live) {
  const Entry entry{InNext(next), true, LiveAddr(live.value())};
  const auto after = std::ranges::upper_bound(objects_, entry.from.begin(), {},
                                              [](const Entry& each) { return each.from.begin(); });
  objects_.insert(after, entry);
}

const ImageMap::Entry* ImageMap::Holder(const std::vector<Entry>& entries, NextAddr address) {
  const auto after = std::ranges::upper_bound(
      entries, address, {}, [](const Entry& entry) { return entry.from.begin(); });
  if (after == entries.begin()) return nullptr;
  const Entry& entry = *std::prev(after);
  return entry.from.Contains(address) ? &entry : nullptr;
}

ImageMap::Word ImageMap::Translate(uint64_t next_word) const {
  const NextAddr address(next_word);
  const Entry* entry = Holder(objects_, address);
  if (entry == nullptr) entry = Holder(entries_, address);
  if (entry == nullptr) return {Kind::kValue, next_word};
  if (!entry->is_module) return {Kind::kForeign, next_word};
  return {Kind::kPointer, entry->to.value() + (address - entry->from.begin())};
}

}  // namespace mcr::mutator
