// The merge: what makes the live processes run the new program with their own state. A pure
// function of images and debug information (DESIGN §2): no ptrace, no files, no clock.
//
// What changes is a set of modules: the program, or libraries under a program that stays, or both.
// Every pointer into an old module that the live processes hold, in whatever memory, register or
// kernel table, is retargeted to what it names in the new one. Variables that both versions have
// keep their live value if the server has changed it since its start, and take the value of the new
// version's start otherwise.
#ifndef MCR_MUTATOR_MERGE_MERGE_H_
#define MCR_MUTATOR_MERGE_MERGE_H_

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/scan_memo.h"
#include "mutator/merge/account.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/copied_variables.h"
#include "mutator/merge/known_starts.h"
#include "mutator/merge/known_targets.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/module_image.h"
#include "mutator/merge/places.h"
#include "mutator/merge/process_merge.h"
#include "mutator/merge/start_heap.h"

namespace mcr::mutator {

// One process of the server, and the processes of the rehearsals that do the same work.
struct ProcessPair {
  const checkpoint::ProcessImage* live = nullptr;
  const checkpoint::ProcessImage* next = nullptr;
  // Two rehearsals of the old version. nullptr: its start is not known, and every value counts as
  // changed since.
  const checkpoint::ProcessImage* base = nullptr;
  const checkpoint::ProcessImage* base_again = nullptr;
  KernelNames base_names = {}, next_names = {};
  const ScanMemo* memo = nullptr;  // of an earlier search of `live`
};

struct MergeOptions {
  bool strict = false;  // see strict.h
};

class Merger {
 public:
  // `modules`: what changes; the program first, if it is among them.
  explicit Merger(std::vector<ModuleVersions> modules, MergeOptions options = {});

  // Fails if the images cannot be read; everything else that stands in the way is in
  // MergePlan::problems. What was looked up is kept: a first merge before the pause spares a second
  // one most of its work, and changes nothing of what it decides.
  Result<MergePlan> Merge(const std::vector<ProcessPair>& processes) {
    return Merge(processes, [](const Part&) {});
  }
  // What the plan has for one process.
  struct Part {
    const checkpoint::ProcessGraft& graft;
    const Account& account;
  };
  // `merged` is given each part as soon as it is complete, in the plan's order; what it refers to
  // stays where it is when the plan is moved.
  Result<MergePlan> Merge(const std::vector<ProcessPair>& processes,
                          const std::function<void(const Part&)>& merged);

 private:
  struct Module {
    ModuleVersions versions;
    ModuleImageBuilder image;
    KnownTargets known;
  };

  Status MergeProcess(const ProcessPair& pair, Places& places, SharedMemorySeen& shared,
                      MergePlan& plan);
  Result<ChangedModules> FindModules(const ProcessPair& pair, const LoadedModules& live,
                                     const LoadedModules& next, Places& places);

  Result<const StartHeap*> StartHeapFor(const ProcessPair& pair, const Base& base,
                                        const ChangedModule& module);

  MergeOptions options_;
  std::vector<std::unique_ptr<Module>> modules_;
  CopyDifference copies_;
  KnownStarts starts_;
  // By the two rehearsed processes.
  std::map<std::pair<const checkpoint::ProcessImage*, const checkpoint::ProcessImage*>, StartHeap>
      start_heaps_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MERGE_H_
