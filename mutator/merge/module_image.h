// What a changed module's writable memory holds in one live process: the rehearsal's, with the live
// values of the variables that the server has changed since its start.
#ifndef MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
#define MCR_MUTATOR_MERGE_MODULE_IMAGE_H_

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/account.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/copied_variables.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/initial_image.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/rehearsed_image.h"
#include "mutator/merge/start_allocations.h"
#include "mutator/merge/start_values.h"
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
    const Base* base;  // nullptr: every variable counts as changed by the server
    const ObjectMoves& moves;
    bool same_memory;  // the new version's start allocates what the old one's does (start_heap.h)
    StartAllocations& start_allocations;
    const CopiedVariables& copied;
    Account& account;  // gets the old places of what is not kept
  };

  // `map` is that of these two, and outlives the builder.
  ModuleImageBuilder(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
                     AddressMap& map);

  // Adds the contents of the writable segments to `graft.writes`; counts and problems to `plan`.
  Status Build(const Sources& sources, checkpoint::ProcessGraft& graft, MergePlan& plan);

 private:
  // What does not depend on the live process's own state, for one counterpart.
  struct Model {
    const checkpoint::ProcessImage* next = nullptr;
    ImageMap next_to_live;
    std::vector<RehearsedPart> parts;
    std::vector<std::vector<std::byte>> fresh;  // where they are mapped: the file, then zeros
    std::optional<Base> base;
    std::vector<RehearsedPart> base_parts;  // by segment of the old module
    // By pair: whether it may take the new version's value if the server did not touch it.
    std::vector<bool> replaceable;
  };
  struct Pair : VariablePair {
    bool initial_known = false;    // in both versions
    bool default_changed = false;  // the initial value differs
    size_t old_segment = 0, new_part = 0;
    const Recipe* recipe = nullptr;  // nullptr: the type is not known in both
  };
  // A writable segment of the old module.
  struct OldSegment {
    std::vector<std::byte> live;
    std::vector<LikelyPointer> pointers;
  };

  Result<const Model*> ModelFor(const Sources& sources);
  Status AddBase(const Sources& sources, Model& model) const;
  bool IsReplaceable(const Sources& sources, const Model& model, const Pair& pair,
                     const StartValues& values) const;
  bool IsNull(const Model& model, const Pair& pair) const;
  bool IsDefault(const Sources& sources, const Model& model, const Pair& pair) const;
  bool IsUntouched(const Model& model, const Pair& pair, std::span<const std::byte> live) const;
  Result<std::vector<OldSegment>> ReadOld(const Sources& sources) const;
  void TakeLive(const Sources& sources, const Model& model, const Pair& pair, const OldSegment& old,
                RehearsedPart& part, checkpoint::ProcessGraft& graft, MergePlan& plan);
  void Transform(const Sources& sources, const Model& model, const Pair& pair,
                 const OldSegment& old, RehearsedPart& part, checkpoint::ProcessGraft& graft,
                 MergePlan& plan);
  void BringForeign(const Sources& sources, RehearsedPart& part, checkpoint::ProcessGraft& graft,
                    MergePlan& plan) const;
  static void EmitWrites(const RehearsedPart& part, std::span<const std::byte> fresh, Addr bias,
                         checkpoint::WriteList& writes);

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  InitialImage initial_before_, initial_after_;
  std::vector<const Segment*> old_segments_;  // writable ones
  std::vector<Pair> pairs_;
  std::vector<std::unique_ptr<Model>> models_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
