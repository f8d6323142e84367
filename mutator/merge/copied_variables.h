// Variables of libraries that a program has a copy of, which everybody then uses instead (copy
// relocations, System V ABI for x86-64, 4.4): `stdin`, `environ`, `optarg`.
//
// Which ones they are changes with what the program refers to. A copy that the new version does not
// have gives its value back to the library's own variable; one that only the new version has takes
// over that one's value. What pointed to the one points to the other.
#ifndef MCR_MUTATOR_MERGE_COPIED_VARIABLES_H_
#define MCR_MUTATOR_MERGE_COPIED_VARIABLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/changed_modules.h"

namespace mcr::mutator {

// Of a program: copies that only one of its versions has.
struct CopyDifference {
  struct Copy {
    std::string name;
    Range<FileAddr> place;
  };
  std::vector<Copy> gone, added;

  static CopyDifference Between(const Program& before, const Program& after);
};

class CopiedVariables {
 public:
  // All outlive this. `copies`: of the program, if that changes.
  static CopiedVariables Find(const checkpoint::ProcessImage& live,
                              const LoadedModules& live_modules, const ChangedModules& modules,
                              const CopyDifference& copies);

  // What a pointer to a copy that goes away becomes: the address of the library's variable.
  std::optional<uint64_t> Home(uint64_t word) const;
  // Whether this part of the new version is a copy of something that the old one uses in place.
  bool IsNew(const ChangedModule& module, FileAddr at) const;

  // Writes the values, and the pointers to new copies that libraries have; `next` shows which.
  // `from_next` gets what is written.
  Status Merge(const checkpoint::ProcessImage& next, const LoadedModules& next_modules,
               checkpoint::ProcessGraft& graft, std::vector<Range<Addr>>& from_next) const;

 private:
  struct Moved {
    const ChangedModule* module;
    Range<FileAddr> copy;  // in the old version if it goes away, or in the new one
    Addr library;          // of the live process
  };

  CopiedVariables(const checkpoint::ProcessImage& live, const LoadedModules& live_modules,
                  const ChangedModules& modules)
      : live_(live), live_modules_(live_modules), modules_(modules) {}

  std::vector<Moved> Locate(const ChangedModule& program,
                            const std::vector<CopyDifference::Copy>& copies) const;
  std::optional<Addr> FindInLibrary(const std::string& name) const;
  Status Write(Addr from, Addr to, uint64_t size, checkpoint::ProcessGraft& graft,
               std::vector<Range<Addr>>& from_next) const;
  Status PointToCopy(const Moved& moved, const checkpoint::ProcessImage& next,
                     const LoadedModules& next_modules, checkpoint::ProcessGraft& graft,
                     std::vector<Range<Addr>>& from_next) const;

  const checkpoint::ProcessImage& live_;
  const LoadedModules& live_modules_;
  const ChangedModules& modules_;
  std::vector<Moved> gone_, new_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_COPIED_VARIABLES_H_
