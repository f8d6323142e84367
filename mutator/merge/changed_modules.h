// The files that an update exchanges (the program, libraries, plug-ins), and where they are in one
// process. Every pointer into any of them is found and translated through here.
#ifndef MCR_MUTATOR_MERGE_CHANGED_MODULES_H_
#define MCR_MUTATOR_MERGE_CHANGED_MODULES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/known_targets.h"
#include "mutator/merge/stack/frame_planner.h"

namespace mcr::mutator {

// One file in its two versions.
struct ModuleVersions {
  std::shared_ptr<const Program> before;
  std::shared_ptr<const Program> after;
  // As the mappings show them: how they are found if they have no build-id.
  std::string before_path, after_path;
  std::string new_file;  // what is mapped in the old one's place
  std::shared_ptr<AddressMap> map;
  bool is_program = false;               // the one that was executed; else a shared object
  std::shared_ptr<FramePlanner> frames;  // null: frames of changed functions cannot be rebuilt
};

// One of them in one process.
struct ChangedModule {
  size_t index = 0;  // in the list of all, and in GraftPlan::new_files
  const ModuleVersions* versions = nullptr;
  KnownTargets* known = nullptr;
  LoadedModule live;      // the old version in the live process
  LoadedModule next;      // the new version in the rehearsed one
  Range<Addr> new_range;  // where it will be in the live process; file address 0 is its begin

  const Program& before() const { return *versions->before; }
  const Program& after() const { return *versions->after; }
  AddressMap& map() const { return *versions->map; }

  FileAddr InOld(uint64_t live_address) const { return FileAddr(live_address - live.bias.value()); }
  Addr new_bias() const { return new_range.begin(); }
  uint64_t InNew(FileAddr address) const { return new_bias().value() + address.value(); }
  // New and old place are a multiple of kPlaceStep apart (free_range.h).
  uint64_t Shifted(uint64_t live_address) const {
    return live_address - live.bias.value() + new_bias().value();
  }
};

class ChangedModules {
 public:
  // `live`: the process's mappings; outlives this.
  ChangedModules(std::vector<ChangedModule> modules, const Mappings& live);

  const std::vector<ChangedModule>& all() const { return modules_; }  // by old address
  std::span<const Range<Addr>> old_ranges() const { return old_ranges_; }

  // The one whose old memory holds `address`. One past the end counts where nothing else begins.
  const ChangedModule* Of(uint64_t address) const;
  // Without the end.
  bool HoldOld(uint64_t address) const;

 private:
  std::vector<ChangedModule> modules_;
  std::vector<Range<Addr>> old_ranges_;
  const Mappings& live_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_CHANGED_MODULES_H_
