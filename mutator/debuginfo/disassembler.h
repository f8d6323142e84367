// x86-64 machine code as instructions, through LLVM's MC layer (Intel SDM volume 2).
#ifndef MCR_MUTATOR_DEBUGINFO_DISASSEMBLER_H_
#define MCR_MUTATOR_DEBUGINFO_DISASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/effects.h"

namespace mcr::mutator {

// What a PC-relative operand is there for.
enum class Reference : uint8_t { kNone, kCall, kJump, kAddress /* lea */, kMemory };

struct Operand {
  bool is_register = false;
  int64_t value = 0;  // LLVM's register number, or the immediate
  bool operator==(const Operand&) const = default;
};

struct Instruction {
  FileAddr at;
  uint32_t size = 0;    // bytes
  uint32_t opcode = 0;  // LLVM's; short and near forms of a jump are the same
  uint32_t prefixes = 0;
  bool is_padding = false;            // a nop
  bool thread_local_operand = false;  // relative to %fs
  Reference reference = Reference::kNone;
  FileAddr target;  // of the reference; its operand is left out of `operands`
  std::vector<Operand> operands;

  FileAddr end() const { return at + size; }
};

class Disassembler {
 public:
  static Result<std::unique_ptr<Disassembler>> Create();
  virtual ~Disassembler() = default;

  // nullopt if the bytes are no instruction.
  virtual std::optional<Instruction> Decode(std::span<const std::byte> code, FileAddr at) const = 0;

  // The same instruction by what it does; of bytes that are none: that control stops there.
  virtual Effects EffectsOf(std::span<const std::byte> code, FileAddr at) const = 0;

  // "mov eax, dword ptr [rip + 16]"
  virtual std::string Describe(std::span<const std::byte> code, FileAddr at) const = 0;

  // How many bytes the memory operand has; 0 if it cannot be told (lea has none).
  uint64_t AccessSize(std::span<const std::byte> code, FileAddr at) const;

  // All of `code`, padding included. Fails where it is not an instruction.
  Result<std::vector<Instruction>> DecodeAll(std::span<const std::byte> code, FileAddr at) const;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_DISASSEMBLER_H_
