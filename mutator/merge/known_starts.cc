#include "mutator/merge/known_starts.h"

#include <utility>

namespace mcr::mutator {

const KnownStart& KnownStarts::Of(const checkpoint::ProcessImage& image) {
  const auto known = starts_.find(&image);
  if (known != starts_.end()) return known->second;
  LoadedModules modules = LoadedModules::Find(image);
  LinkMaps links = LinkMaps::Find(image, modules);
  Result<ObjectTables> tables = ObjectTables::Find(image, modules, links);
  return starts_
      .emplace(&image, KnownStart{std::move(modules), std::move(links), std::move(tables)})
      .first->second;
}

}  // namespace mcr::mutator
