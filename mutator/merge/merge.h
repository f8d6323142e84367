// The merge: what makes the live processes run the new program with their own state. A pure
// function of images and debug information (DESIGN §2): no ptrace, no files, no clock.
//
// Every pointer into the old program that the live processes hold, in whatever memory, register or
// kernel table, is retargeted to what it names in the new one. Variables that both versions have
// keep their live value, unless neither the server nor the new version's start-up ever changed the
// initial one: then the new initial value is taken.
#ifndef MCR_MUTATOR_MERGE_MERGE_H_
#define MCR_MUTATOR_MERGE_MERGE_H_

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/known_targets.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/module_image.h"

namespace mcr::mutator {

// One process of the server, and the process of the rehearsal that does the same work.
struct ProcessPair {
  const checkpoint::ProcessImage* live = nullptr;
  const checkpoint::ProcessImage* next = nullptr;
};

struct Versions {
  std::shared_ptr<const Program> before;
  std::shared_ptr<const Program> after;
  // As the mappings show the programs: how they are found if they have no build-id.
  std::string before_path, after_path;
};

class Merger {
 public:
  // `map` outlives the merger.
  Merger(AddressMap& map, Versions versions);

  // Fails if the images cannot be read; everything else that stands in the way is in
  // MergePlan::problems. What was looked up is kept: a first merge before the pause spares a second
  // one most of its work.
  Result<MergePlan> Merge(const std::vector<ProcessPair>& processes);

 private:
  AddressMap& map_;
  Versions versions_;
  ModuleImageBuilder module_image_;
  KnownTargets known_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MERGE_H_
