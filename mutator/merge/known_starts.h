// What was found out about rehearsed processes: they are frozen, so that a merge in the pause need
// not ask again what one before it did.
#ifndef MCR_MUTATOR_MERGE_KNOWN_STARTS_H_
#define MCR_MUTATOR_MERGE_KNOWN_STARTS_H_

#include <map>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/loader_state.h"
#include "mutator/merge/object_tables.h"

namespace mcr::mutator {

struct KnownStart {
  LoadedModules modules;
  LinkMaps links;
  Result<ObjectTables> tables;
};

class KnownStarts {
 public:
  // `image` stays as it is, and outlives this.
  const KnownStart& Of(const checkpoint::ProcessImage& image);

 private:
  std::map<const checkpoint::ProcessImage*, KnownStart> starts_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_KNOWN_STARTS_H_
