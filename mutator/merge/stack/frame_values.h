// What the variables of an active function hold: from the memory of its frame, or from the
// callee-saved registers, wherever the functions that it called have put those.
#ifndef MCR_MUTATOR_MERGE_STACK_FRAME_VALUES_H_
#define MCR_MUTATOR_MERGE_STACK_FRAME_VALUES_H_

#include <sys/user.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/frame_variables.h"

namespace mcr::mutator {

struct SavedRegister {
  int number;
  unsigned long long user_regs_struct::* field;
};
// In the order of StackFrame::saved.
inline constexpr std::array<SavedRegister, 6> kSavedRegisters = {{{kRbx, &user_regs_struct::rbx},
                                                                  {kRbp, &user_regs_struct::rbp},
                                                                  {12, &user_regs_struct::r12},
                                                                  {13, &user_regs_struct::r13},
                                                                  {14, &user_regs_struct::r14},
                                                                  {15, &user_regs_struct::r15}}};

// `registers`: those that the thread has now. Fails for registers that calls clobber.
Result<uint64_t> RegisterIn(const checkpoint::StackFrame& frame,
                            const checkpoint::ProcessImage& image,
                            const user_regs_struct& registers, int number);

// Where it was saved; null: the thread has it.
Addr SavedAt(const checkpoint::StackFrame& frame, int number);

struct ActiveFrame {
  const checkpoint::StackFrame& frame;
  Addr end;  // the canonical frame address
  const user_regs_struct& registers;
};
// The `size` bytes of a variable whose pieces are known.
Result<std::vector<std::byte>> ReadPieces(const ActiveFrame& active,
                                          const checkpoint::ProcessImage& image,
                                          const std::vector<Location>& pieces, uint64_t size);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_FRAME_VALUES_H_
