// The new program's memory in one live process: where its segments go, and what its writable ones hold.
#ifndef MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
#define MCR_MUTATOR_MERGE_MODULE_IMAGE_H_

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/initial_image.h"
#include "mutator/merge/merge.h"

namespace mcr::mutator {

// File mappings and zero pages for all of the program's segments, as the kernel's ELF loader makes them
// (fs/binfmt_elf.c), with RELRO read-only already.
std::vector<checkpoint::NewMapping> SegmentMappings(const Program& program, Addr bias);

// Variables that both versions keep in memory that stays writable after start-up.
struct VariablePair {
  const Variable* before = nullptr;
  const Variable* after = nullptr;
};
std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after);

// True for memory that can change after start-up: writable and not RELRO.
bool StaysWritable(const Program& program, Range<FileAddr> range);

class ModuleImageBuilder {
 public:
  struct Sources {
    const checkpoint::ProcessImage& live;
    Addr live_bias;  // of the old program in `live`
    const checkpoint::ProcessImage& next;
    Addr next_bias;  // of the new program in `next`
    Addr new_bias;   // of the new program in `live`
    const ImageMap& next_to_live;
    PointerGuard guard;
  };

  ModuleImageBuilder(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
                     AddressMap& map);

  // Adds the contents of the writable segments to `graft.writes`; counts and problems to `plan`.
  Status Build(const Sources& sources, checkpoint::ProcessGraft& graft, MergePlan& plan) const;

 private:
  struct Part;  // one writable segment under construction

  Result<std::vector<Part>> ReadNext(const Sources& sources) const;
  void TakeLive(const Sources& sources, const VariablePair& pair, std::span<const std::byte> live,
                const std::vector<LikelyPointer>& pointers, Part& part, MergePlan& plan) const;
  Status MergeVariables(const Sources& sources, std::vector<Part>& parts, MergePlan& plan) const;
  void RefuseForeign(const std::vector<Part>& parts, MergePlan& plan) const;
  void EmitWrites(const Part& part, Addr bias, checkpoint::WriteList& writes) const;

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  AddressMap& map_;
  std::vector<VariablePair> pairs_;
  InitialImage initial_before_;
  InitialImage initial_after_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MODULE_IMAGE_H_
