// The merge of one process: everything outside the program itself that points into it.
#ifndef MCR_MUTATOR_MERGE_PROCESS_MERGE_H_
#define MCR_MUTATOR_MERGE_PROCESS_MERGE_H_

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/text_tail.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/known_targets.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::mutator {

// Shared memory is the same in every process that maps it: the first one to come writes it.
class SharedMemorySeen {
 public:
  // True the first time that this part of this memory object is asked for.
  bool Claim(const Mapping& mapping) {
    return seen_.insert({mapping.device, mapping.inode, mapping.file_offset, mapping.range.size()})
        .second;
  }

 private:
  std::set<std::tuple<uint64_t, uint64_t, uint64_t, uint64_t>> seen_;
};

class ProcessMerge {
 public:
  struct Context {
    const Program& before;
    const Program& after;
    AddressMap& map;
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const LoadedModules& live_modules;
    const LoadedModules& next_modules;
    const ImageMap& next_to_live;
    Addr live_bias, next_bias, new_bias;
    PointerGuard guard;
    SharedMemorySeen& shared;
    KnownTargets& known;
  };

  ProcessMerge(Context context, checkpoint::ProcessGraft& graft, MergePlan& plan);

  Status MergeMemory();
  Status MergeLinkMap();
  void MergeThreads();
  void MergeKernelTables();
  void MergeLayout();

 private:
  struct Stack {
    Range<Addr> range;
    Addr pointer;  // rsp
    std::vector<Addr> return_slots;
    pid_t tid;
  };

  FileAddr InOld(uint64_t live_address) const;
  uint64_t InNew(FileAddr address) const;
  bool PointsToOld(uint64_t word) const;

  void Retarget(const Mapping& mapping, const LikelyPointer& pointer);
  void Settle(const Mapping& mapping, const LikelyPointer& pointer);
  enum class Verdict {
    kPointer,  // or nothing speaks against it
    kRemains,  // of an old pointer, partly overwritten with something else
    kUnclear,
  };
  Verdict Judge(const Mapping& mapping, const LikelyPointer& pointer,
                const Translation& translation) const;
  uint64_t Shifted(uint64_t target) const;
  void Shift(const LikelyPointer& pointer);
  TextEvidence TextBefore(const Mapping& mapping, const LikelyPointer& pointer,
                          const Translation& translation) const;
  static std::string WordIn(const Mapping& mapping, Addr at);
  void RetargetOnStack(const Stack& stack, const LikelyPointer& pointer);
  bool RetargetLikeNext(const LikelyPointer& pointer);
  void RetargetRegisters(const checkpoint::ThreadImage& thread);
  bool Write(const LikelyPointer& pointer, const Translation& translation);
  void Count(PointerKind kind);
  void Refuse(const std::string& holder, FileAddr target, const Translation& translation);
  const Stack* StackAt(Addr at) const;

  Context context_;
  checkpoint::ProcessGraft& graft_;
  MergePlan& plan_;
  std::vector<Stack> stacks_;
  std::vector<std::pair<const Mapping*, LikelyPointer>> unclear_;
  Range<Addr> link_map_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_PROCESS_MERGE_H_
