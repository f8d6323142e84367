// Call stacks by libunwind's remote interface over a MemoryReader: works on stopped tasks and on
// images. Source: libunwind(3), unw_create_addr_space(3); .eh_frame of the mapped files, read from
// disk or memory.
#ifndef MCR_TRACER_UNWIND_H_
#define MCR_TRACER_UNWIND_H_

#include <sys/user.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

// Registers that a called function gives back as they were (System V ABI for x86-64, 3.2.1).
inline constexpr size_t kCalleeSavedCount = 6;  // rbx, rbp, r12, r13, r14, r15

struct Frame {
  Addr instruction;    // frame 0: rip; others: the return address
  Addr stack_pointer;  // value of rsp in this frame (its CFA is the next frame's stack pointer)
  Addr return_slot;    // where the return address to the *next outer* frame is stored; null for the
                       // outermost
  // Where the values are that rbx, rbp, r12, r13, r14 and r15 have in this frame: saved by a frame
  // further in, or (null) still in the registers.
  std::array<Addr, kCalleeSavedCount> saved = {};
};

// Keeps parsed unwind tables of files between calls (they are the same in every process of a tree).
class Unwinder {
 public:
  static Result<std::unique_ptr<Unwinder>> Create();
  virtual ~Unwinder() = default;

  // Innermost first. Stops at the outermost frame (_start, clone) without error; a frame that
  // cannot be unwound is an error that names its address.
  virtual Result<std::vector<Frame>> Unwind(const user_regs_struct& registers,
                                            const MemoryReader& memory,
                                            const Mappings& mappings) = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_UNWIND_H_
