// What a changed module's writable memory holds in one live process: the rehearsal's, with the live
// values of the variables that both versions have.
#ifndef MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
#define MCR_MUTATOR_MERGE_MODULE_IMAGE_H_

#include <memory>
#include <span>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/initial_image.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/next_image.h"
#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {

class ModuleImageBuilder {
 public:
  struct Sources {
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const ChangedModule& module;    // the one to build
    const ChangedModules& modules;  // all that change
    const ImageMap& next_to_live;
    PointerGuard guard;
  };

  ModuleImageBuilder(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after);

  // Adds the contents of the writable segments to `graft.writes`; counts and problems to `plan`.
  Status Build(const Sources& sources, checkpoint::ProcessGraft& graft, MergePlan& plan);

 private:
  // What does not depend on the live process's own state, for one counterpart.
  struct Model {
    const checkpoint::ProcessImage* next = nullptr;
    ImageMap next_to_live;
    std::vector<NextPart> parts;
    std::vector<bool>
        untouched;  // by pair: the new version's start-up left its initial value alone
  };
  struct Pair : VariablePair {
    bool initial_known = false;    // in both versions
    bool default_changed = false;  // the initial value differs
    size_t old_segment = 0, new_part = 0;
  };
  // A writable segment of the old program: as it is, and as it was initially.
  struct OldSegment {
    std::vector<std::byte> live, initial;
    std::vector<LikelyPointer> pointers;
  };

  Result<const Model*> ModelFor(const Sources& sources);
  Result<std::vector<OldSegment>> ReadOld(const Sources& sources);
  void TakeLive(const Sources& sources, const Pair& pair, const OldSegment& old, NextPart& part,
                MergePlan& plan);
  void RefuseForeign(const std::vector<NextPart>& parts, MergePlan& plan) const;
  void EmitWrites(const NextPart& part, Addr bias, checkpoint::WriteList& writes) const;

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  InitialImage initial_before_, initial_after_;
  std::vector<const Segment*> old_segments_;  // writable ones
  std::vector<Pair> pairs_;
  std::vector<std::unique_ptr<Model>> models_;
  // Initial contents of old_segments_ at the bias that was asked for last.
  Addr initial_bias_;
  std::vector<std::vector<std::byte>> initial_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
