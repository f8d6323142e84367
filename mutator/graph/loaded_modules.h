// The ELF files that a process has mapped, from their headers in memory (elf(5)).
#ifndef MCR_MUTATOR_GRAPH_LOADED_MODULES_H_
#define MCR_MUTATOR_GRAPH_LOADED_MODULES_H_

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

struct LoadedModule {
  std::string path;      // as /proc/PID/maps shows it; "[vdso]"
  Addr bias;             // where file address 0 is; position-independent files start there
  Range<Addr> range;     // all its PT_LOAD segments, page-aligned, .bss included
  std::string build_id;  // hexadecimal, "" if it has none
  Addr dynamic;          // its PT_DYNAMIC; null if it has none
};

class LoadedModules {
 public:
  // Files that are mapped but are no ELF files (locale archives, caches) are left out.
  static LoadedModules Find(const checkpoint::ProcessImage& image);

  const std::vector<LoadedModule>& all() const { return modules_; }  // by address
  const LoadedModule* At(Addr address) const;
  const LoadedModule* ByPath(std::string_view path) const;

 private:
  std::vector<LoadedModule> modules_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_LOADED_MODULES_H_
