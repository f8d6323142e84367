// The merge of one process: everything outside the changed modules that points into them.
#ifndef MCR_MUTATOR_MERGE_PROCESS_MERGE_H_
#define MCR_MUTATOR_MERGE_PROCESS_MERGE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/scan_memo.h"
#include "mutator/graph/text_tail.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/constant_copies.h"
#include "mutator/merge/copied_variables.h"
#include "mutator/merge/fresh_shared.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/loader_state.h"
#include "mutator/merge/loader_versions.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/object_tables.h"
#include "mutator/merge/stack/take_over.h"
#include "mutator/merge/start_allocations.h"
#include "mutator/merge/start_heap_merge.h"
#include "mutator/merge/strict.h"

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
    const ChangedModules& modules;
    const Base* base;  // nullptr: the old version's start is not known
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const LoadedModules& live_modules;
    const LoadedModules& next_modules;
    const ImageMap& next_to_live;
    const LinkMaps& live_links;
    const LinkMaps& next_links;
    const Result<ObjectTables>& next_tables;
    PointerGuard guard;
    SharedMemorySeen& shared;
    const FreshShared& fresh;
    const ObjectMoves& moves;
    const StartHeapMerge& start_heap;
    StartAllocations& start_allocations;
    const CopiedVariables& copied;
    ConstantCopies& constant_copies;
    const ScanMemo* memo;                 // nullptr: all of `live` is searched
    std::vector<Range<Addr>>& from_next;  // gets what is written as the new version's start has it
  };

  ProcessMerge(Context context, checkpoint::ProcessGraft& graft, MergePlan& plan);

  Status MergeMemory();
  Status MergeLinkMaps();
  // After the link maps.
  Status MergeObjectTables();
  void MergeThreads();
  void MergeLayout();

  const StackTakeOver& stacks() const { return take_over_; }
  const std::vector<Guess>& guesses() const { return guesses_; }

 private:
  struct Stack {
    Range<Addr> range;
    Addr pointer;  // rsp
    std::vector<Addr> return_slots;
    pid_t tid;
  };

  Status MergeLinkMap(const ChangedModule& module, Range<Addr> live, Range<Addr> next);
  bool MergeVersions(const ChangedModule& module, Addr word, uint64_t live, uint64_t next);
  void BringVersions(Addr word, const VersionTable& live, const VersionTable& next);
  bool IsLoaderState(Addr at) const;
  // A word before which there is a text that may go on in it.
  struct Doubtful {
    const Mapping* mapping;
    LikelyPointer pointer;
    size_t run;  // bytes of text
  };

  void Retarget(const Mapping& mapping, const LikelyPointer& pointer);
  void Settle(const Mapping& mapping, const LikelyPointer& pointer);
  enum class Verdict {
    kPointer,  // or nothing speaks against it
    kRemains,  // of an old pointer, partly overwritten with something else
    kUnclear,
  };
  std::optional<Verdict> JudgePlace(const LikelyPointer& pointer,
                                    const Translation& translation) const;
  static Verdict Judge(const LikelyPointer& pointer, const ChangedModule& module,
                       const Translation& translation, const TextEvidence& text);
  static bool SameAsShifted(const LikelyPointer& pointer, const ChangedModule& module,
                            const Translation& translation);
  void Conclude(const Mapping& mapping, const LikelyPointer& pointer, Verdict verdict);
  Status JudgeDoubtful();
  void Shift(const LikelyPointer& pointer, const ChangedModule& module);
  TextEvidence TextBefore(const Mapping& mapping, const LikelyPointer& pointer) const;
  static std::string WordIn(const Mapping& mapping, Addr at);
  void RetargetOnStack(const Stack& stack, const LikelyPointer& live_pointer);
  bool RetargetLikeNext(const LikelyPointer& pointer, const ChangedModule& target);
  bool RetargetToLibrary(const LikelyPointer& pointer);
  bool LeaveCopy(const LikelyPointer& pointer, const ChangedModule& target);
  void RetargetRegisters(const checkpoint::ThreadImage& thread);
  bool Write(const LikelyPointer& pointer, const ChangedModule& module,
             const Translation& translation);
  void Refuse(const std::string& holder, uint64_t target, const Translation& translation);
  const Stack* StackAt(Addr at) const;

  Context context_;
  StackTakeOver take_over_;
  checkpoint::ProcessGraft& graft_;
  MergePlan& plan_;
  std::vector<Stack> stacks_;
  Mappings scanned_;
  std::vector<Doubtful> doubtful_;
  std::vector<std::pair<const Mapping*, LikelyPointer>> unclear_;
  std::vector<Range<Addr>> loader_state_;  // is written as a whole
  std::vector<Guess> guesses_;
  std::map<Addr, uint64_t> left_;  // variables that are gone, and where a copy will be
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_PROCESS_MERGE_H_
