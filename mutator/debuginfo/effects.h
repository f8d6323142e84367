// What one instruction does to registers, to the stack frame and to the flow of control: as much as
// it takes to follow values through a function (Intel SDM volume 2).
#ifndef MCR_MUTATOR_DEBUGINFO_EFFECTS_H_
#define MCR_MUTATOR_DEBUGINFO_EFFECTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mcr/base/address.h"

namespace mcr::mutator {

// General registers by their DWARF number (System V ABI for x86-64, figure 3.36).
enum Register : int {
  kNoRegister = -1,
  kRax = 0,
  kRdx = 1,
  kRcx = 2,
  kRbx = 3,
  kRsi = 4,
  kRdi = 5,
  kRbp = 6,
  kRsp = 7,
  kR12 = 12,
  kR15 = 15,
};
inline constexpr int kRegisterCount = 16;

inline constexpr std::array<std::string_view, kRegisterCount> kRegisterNames = {
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

// One bit per register.
using RegisterSet = uint16_t;
constexpr RegisterSet Bit(int number) { return static_cast<RegisterSet>(1u << number); }
// Those that a called function gives back as they were.
inline constexpr RegisterSet kCalleeSaved = Bit(kRbx) | Bit(kRbp) | 0xf000;

enum class Flow : uint8_t {
  kNext,
  kJump,
  kBranch,        // goes on or jumps
  kIndirectJump,  // through a table
  kCall,
  kReturn,
  kStop,  // never goes on
};

enum class Operation : uint8_t {
  kOther,
  kMove,         // 64 bits (or an immediate that fills them) between registers and memory
  kLoadAddress,  // lea
  kAdd,          // an immediate; subtractions have a negative one
  kAnd,          // with an immediate
  kPush,
  kPop,
  kLeave,
};

struct MemoryAccess {
  int base = kNoRegister, index = kNoRegister;
  uint32_t scale = 1;
  int64_t displacement = 0;
  bool rip_relative = false;  // then at `target`
  bool other_base = false;    // a segment or something that is no general register takes part
  FileAddr target;
  uint64_t size = 0;  // bytes; 0: unknown, or not accessed (lea)
  bool reads = false, writes = false;
};

struct Effects {
  Flow flow = Flow::kNext;
  FileAddr target;  // of a direct jump or call
  bool direct = false;
  Operation operation = Operation::kOther;
  RegisterSet reads = 0;
  RegisterSet writes = 0;  // in full: 32-bit operations clear the upper half
  int source = kNoRegister, destination = kNoRegister;  // of `operation`
  std::optional<int64_t> immediate;                     // of `operation`
  std::optional<MemoryAccess> memory;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_EFFECTS_H_
