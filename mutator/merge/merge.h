// The merge: what makes the live processes run the new program with their own state. A pure function of images and
// debug information (DESIGN §2): no ptrace, no files, no clock.
//
// Every pointer into the old program that the live processes hold, in whatever memory, register or kernel table, is
// retargeted to what it names in the new one. Variables that both versions have keep their live value, unless neither
// the server nor the new version's start-up ever changed the initial one: then the new initial value is taken.
#ifndef MCR_MUTATOR_MERGE_MERGE_H_
#define MCR_MUTATOR_MERGE_MERGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/address_map.h"

namespace mcr::mutator {

// One process of the server, and the process of the rehearsal that does the same work.
struct ProcessPair {
  const checkpoint::ProcessImage* live = nullptr;
  const checkpoint::ProcessImage* next = nullptr;
};

struct MergeInput {
  std::shared_ptr<const Program> before;
  std::shared_ptr<const Program> after;
  // As the mappings show the programs: how they are found if they have no build-id.
  std::string before_path, after_path;
  std::vector<ProcessPair> processes;
};

struct PointerCounts {
  uint64_t functions = 0, instructions = 0, variables = 0, literals = 0, layout = 0;
  uint64_t precise = 0;     // known to be pointers: registers, return addresses, the kernel's tables, ld.so's link map
  uint64_t likely = 0;      // found by conservative scanning
  uint64_t mangled = 0;     // with the C library's pointer guard
  uint64_t shifted = 0;     // remains of old pointers that are none: moved along with the program (process_merge.cc)
  uint64_t retargeted() const { return precise + likely; }
};

struct VariableCounts {
  uint64_t kept = 0;         // live value
  uint64_t initialised = 0;  // the new version's value: new variables, and defaults that nobody had changed
  uint64_t dropped = 0;      // only in the old version
};

struct MergePlan {
  checkpoint::GraftPlan graft;  // GraftPlan::new_file is left to the caller, who knows files
  Range<Addr> old_program;      // in every live process
  Range<Addr> new_program;
  PointerCounts pointers;
  VariableCounts variables;
  std::vector<std::string> conflicts;  // both changed: the live value was kept
  std::vector<std::string> problems;   // what forbids the update; empty: the plan may be applied
};

// What can be known before any image is read; `problems` of the plan would be the same for every process.
struct Differences {
  std::vector<TypeChange> types;
  std::vector<std::string> changed_variables;  // same name, other type or size: with the reason
  std::vector<std::string> new_variables, dropped_variables;
  std::vector<std::string> new_functions, dropped_functions;
  std::vector<std::string> problems;
};
Differences Compare(const Program& before, const Program& after);

class Merger {
 public:
  // `map` is kept between merges: a first merge before the pause warms it up.
  Merger(std::shared_ptr<AddressMap> map, MergeInput input);
  // Fails if the images cannot be read; everything else that stands in the way is in MergePlan::problems.
  Result<MergePlan> Merge() const;

 private:
  std::shared_ptr<AddressMap> map_;
  MergeInput input_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MERGE_H_
