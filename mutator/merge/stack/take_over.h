// The stacks of one process whose active functions changed, rebuilt: frames of unchanged functions
// are copied to where they come to lie, frames of changed ones made anew from the values that the
// old frame holds, and every pointer into a stack follows what it points to.
#ifndef MCR_MUTATOR_MERGE_STACK_TAKE_OVER_H_
#define MCR_MUTATOR_MERGE_STACK_TAKE_OVER_H_

#include <sys/user.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/stack/stack_layout.h"
#include "mutator/merge/start_allocations.h"

namespace mcr::mutator {

class StackTakeOver {
 public:
  struct Context {
    const ChangedModules& modules;
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const ImageMap& next_to_live;
    PointerGuard guard;
    const ObjectMoves& moves;
    StartAllocations& start_allocations;
  };

  // Nothing to do, and nothing done, if no active function changed.
  explicit StackTakeOver(Context context);

  // The rebuilt stacks. Everything else that is written to a stack comes later, to Place().
  Status Rebuild(checkpoint::ProcessGraft& graft);
  // Pointers into stacks, wherever else they are.
  Status Retarget(checkpoint::WriteList& writes);

  // Where a word of the live process is written to when it is retargeted: elsewhere if it is in a
  // frame that moves; nullopt if a rebuilt stack has another use for its place.
  std::optional<Addr> Place(Addr word) const;
  // Where a pointer to something on a rebuilt stack points afterwards; nullopt: it is none. Fails
  // if the new version has nothing there.
  Result<std::optional<uint64_t>> Follow(uint64_t word, TypeId pointee) const;
  bool IsRebuilt(pid_t tid) const;
  // Old and new place of each rebuilt stack, by address.
  std::vector<Range<Addr>> rebuilt_ranges() const;
  // Whether the stack of this thread cannot be taken over: problems() says why.
  bool Refused(pid_t tid) const { return refused_.contains(tid); }
  // The thread's registers with its stack rebuilt, except for pointers into old modules.
  user_regs_struct Registers(const checkpoint::ThreadImage& thread) const;

  const std::vector<std::string>& problems() const { return problems_; }
  int rebuilt_frames() const { return rebuilt_frames_; }

 private:
  using Values = std::array<uint64_t, kRegisterCount>;  // the callee-saved ones count
  struct Rebuilt {
    StackLayout layout;
    std::vector<std::byte> bytes;  // of layout.written()
    std::set<Addr> own_words;      // of kept frames: saved registers that were settled here
    Values registers = {};
    std::map<Addr, uint64_t> placeholders;  // words of `bytes` that point to objects that move
  };
  struct CarriedValue {
    std::vector<std::byte> bytes;
    std::vector<uint64_t> placeholders;  // offsets
  };

  void Foresee();
  void Foresee(const ChangedModule& module, Addr instruction);
  Status RebuildStack(Rebuilt& stack);
  Status CopyFrame(Rebuilt& stack, const FramePlace& frame, bool innermost);
  Status RebuildFrame(Rebuilt& stack, size_t index, Values& values);
  Status SaveInKept(Rebuilt& stack, size_t index, Values& values);
  Status Carry(Rebuilt& stack, const FramePlace& frame, const CarriedVariable& variable,
               Values& values);
  Status Compute(Rebuilt& stack, const FramePlace& frame, const ComputedValue& value,
                 Values& values);
  void PairCarried(const Rebuilt& stack, const FramePlace& frame, const Values& values);
  Status TakeFromNext(Rebuilt& stack, const FramePlace& frame, const ModelledValue& value,
                      Values& values);

  // The variable's value as the new function has it.
  Result<CarriedValue> Convert(const FramePlace& frame, const CarriedVariable& variable,
                               std::span<const std::byte> old, bool required);
  // A word of the old process in the new one's terms. `holder` is for messages; a problem if it
  // has no counterpart, unless `required` is false.
  // `pointee`: its type in the old program; 0: nobody knows.
  uint64_t Translate(uint64_t word, const std::string& holder, bool required, TypeId pointee = 0);
  std::optional<uint64_t> TranslatePlain(uint64_t word, bool certain, std::string& problem,
                                         TypeId pointee) const;
  const StackLayout* StackOf(uint64_t word) const;
  void Put(Rebuilt& stack, Addr at, std::span<const std::byte> bytes);
  void PutWord(Rebuilt& stack, Addr at, uint64_t word);
  void Problem(pid_t tid, const std::string& text);
  Status RetargetIn(const Mapping& mapping, const std::vector<Range<Addr>>& targets,
                    checkpoint::WriteList& writes);

  Context context_;
  std::vector<Rebuilt> stacks_;
  std::set<pid_t> refused_;
  std::vector<std::string> problems_;
  int rebuilt_frames_ = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_TAKE_OVER_H_
