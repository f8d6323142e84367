// The stacks of one process whose active functions changed, rebuilt: frames of unchanged functions
// are copied to where they come to lie, frames of changed ones made anew from the values that the
// old frame holds, and every pointer into a stack follows what it points to.
#ifndef MCR_MUTATOR_MERGE_STACK_TAKE_OVER_H_
#define MCR_MUTATOR_MERGE_STACK_TAKE_OVER_H_

#include <sys/user.h>

#include <array>
#include <cstddef>
#include <cstdint>
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
#include "mutator/merge/stack/stack_layout.h"

namespace mcr::mutator {

class StackTakeOver {
 public:
  struct Context {
    const ChangedModules& modules;
    const checkpoint::ProcessImage& live;
    const checkpoint::ProcessImage& next;
    const ImageMap& next_to_live;
    PointerGuard guard;
  };

  // Nothing to do, and nothing done, if no active function changed.
  explicit StackTakeOver(Context context);

  // The rebuilt stacks. Everything else that is written to a stack comes later, to Place().
  Status Rebuild(checkpoint::WriteList& writes);
  // Pointers into stacks, wherever else they are.
  Status Retarget(checkpoint::WriteList& writes);

  // Where a word of the live process is written to when it is retargeted: elsewhere if it is in a
  // frame that moves; nullopt if a rebuilt stack has another use for its place.
  std::optional<Addr> Place(Addr word) const;
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
  };

  void Foresee() const;
  Status RebuildStack(Rebuilt& stack);
  Status CopyFrame(Rebuilt& stack, const FramePlace& frame, bool innermost);
  Status RebuildFrame(Rebuilt& stack, size_t index, Values& values);
  Status SaveInKept(Rebuilt& stack, size_t index, Values& values);
  Status Carry(Rebuilt& stack, const FramePlace& frame, const CarriedVariable& variable,
               Values& values);
  Status Compute(Rebuilt& stack, const FramePlace& frame, const ComputedValue& value,
                 Values& values);
  Status TakeFromNext(Rebuilt& stack, const FramePlace& frame, const ModelledValue& value,
                      Values& values);

  Result<uint64_t> OldRegister(const StackLayout& layout, const checkpoint::StackFrame& frame,
                               const checkpoint::ProcessImage& image,
                               const user_regs_struct& registers, int number) const;
  Result<std::vector<std::byte>> ReadVariable(const StackLayout& layout, const FramePlace& frame,
                                              const CarriedVariable& variable) const;
  // A word of the old process in the new one's terms. `holder` is for messages; a problem if it
  // has no counterpart, unless `required` is false.
  uint64_t Translate(uint64_t word, const std::string& holder, bool required);
  std::optional<uint64_t> TranslatePlain(uint64_t word, bool certain, std::string& problem) const;
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
