// What the dynamic loader remembers of a module: its link map (<link.h>, glibc include/link.h).
// Besides pointers into the module it holds numbers that belong to the file (hash table size, RELRO
// offset), which symbol lookups of a later dlopen would use. The same start-up has filled in the
// rehearsal's link map: it is the model.
#ifndef MCR_MUTATOR_MERGE_LOADER_STATE_H_
#define MCR_MUTATOR_MERGE_LOADER_STATE_H_

#include <map>
#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

// The link maps of a process, found through DT_DEBUG of its program's dynamic section.
class LinkMaps {
 public:
  struct Entry {
    Addr dynamic;  // l_ld
    Range<Addr> range;
  };

  // An empty list if there is none: statically linked, or not started by ld.so.
  static LinkMaps Find(const checkpoint::ProcessImage& image, const LoadedModules& modules);

  bool empty() const { return maps_.empty(); }
  std::optional<Range<Addr>> Of(const LoadedModule& module) const;
  const std::vector<Entry>& all() const { return maps_; }
  // Of every module's link map, the loader's own included: where it is, and l_ld.
  const std::map<Addr, Addr>& addresses() const { return addresses_; }

 private:
  std::vector<Entry> maps_;
  std::map<Addr, Addr> addresses_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LOADER_STATE_H_
