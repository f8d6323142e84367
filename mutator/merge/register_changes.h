// Registers of a thread that a graft gives other values.
#ifndef MCR_MUTATOR_MERGE_REGISTER_CHANGES_H_
#define MCR_MUTATOR_MERGE_REGISTER_CHANGES_H_

#include <sys/user.h>

#include <algorithm>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"

namespace mcr::mutator {

using RegisterField = unsigned long long user_regs_struct::*;

// Those that may hold data across a system call: callee-saved ones, and the call's arguments.
inline constexpr RegisterField kDataRegisters[] = {
    &user_regs_struct::rbx, &user_regs_struct::rdx, &user_regs_struct::rsi, &user_regs_struct::rdi,
    &user_regs_struct::rbp, &user_regs_struct::r8,  &user_regs_struct::r9,  &user_regs_struct::r10,
    &user_regs_struct::r12, &user_regs_struct::r13, &user_regs_struct::r14, &user_regs_struct::r15};

// `change` (RegisterField, unsigned long long& value) is called for each of them, with the value
// that the graft gives it by now.
template <class Change>
void ChangeRegisters(const checkpoint::ThreadImage& thread, checkpoint::ProcessGraft& graft,
                     const Change& change) {
  const auto known =
      std::ranges::find(graft.registers, thread.tid, &checkpoint::RegisterChange::tid);
  user_regs_struct registers = known == graft.registers.end() ? thread.registers : known->registers;
  bool changed = false;
  for (const RegisterField field : kDataRegisters) {
    const unsigned long long before = registers.*field;
    change(field, registers.*field);
    changed |= registers.*field != before;
  }
  if (!changed) return;
  if (known == graft.registers.end()) {
    graft.registers.push_back({thread.tid, registers});
  } else {
    known->registers = registers;
  }
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_REGISTER_CHANGES_H_
