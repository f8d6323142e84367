#include "mutator/debuginfo/effects_reader.h"

#include <array>
#include <limits>
#include <string>

namespace mcr::mutator {
namespace {

constexpr unsigned kMemoryOperands = 5;  // base, scale, index, displacement, segment

// By DWARF number.
constexpr std::array<std::string_view, kRegisterCount> kNames = {
    "RAX", "RDX", "RCX", "RBX", "RSI", "RDI", "RBP", "RSP",
    "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

struct NamedMeaning {
  std::string_view name;  // LLVM's, of the opcode
  Operation operation;
  int sign;
  bool fills;
};
constexpr NamedMeaning kMeanings[] = {
    {"MOV64rr", Operation::kMove, 1, false},    {"MOV64rr_REV", Operation::kMove, 1, false},
    {"MOV64rm", Operation::kMove, 1, false},    {"MOV64mr", Operation::kMove, 1, false},
    {"MOV64ri", Operation::kMove, 1, false},    {"MOV64ri32", Operation::kMove, 1, false},
    {"MOV64mi32", Operation::kMove, 1, false},  {"MOV32ri", Operation::kMove, 1, true},
    {"MOV32ri_alt", Operation::kMove, 1, true}, {"LEA64r", Operation::kLoadAddress, 1, false},
    {"ADD64ri8", Operation::kAdd, 1, false},    {"ADD64ri32", Operation::kAdd, 1, false},
    {"ADD64i32", Operation::kAdd, 1, false},    {"SUB64ri8", Operation::kAdd, -1, false},
    {"SUB64ri32", Operation::kAdd, -1, false},  {"SUB64i32", Operation::kAdd, -1, false},
    {"AND64ri8", Operation::kAnd, 1, false},    {"AND64ri32", Operation::kAnd, 1, false},
    {"PUSH64r", Operation::kPush, 1, false},    {"PUSH64rmr", Operation::kPush, 1, false},
    {"PUSH64i8", Operation::kPush, 1, false},   {"PUSH64i32", Operation::kPush, 1, false},
    {"PUSH64rmm", Operation::kPush, 1, false},  {"POP64r", Operation::kPop, 1, false},
    {"POP64rmr", Operation::kPop, 1, false},    {"POP64rmm", Operation::kPop, 1, false},
    {"LEAVE64", Operation::kLeave, 1, false},
};

}  // namespace

EffectsReader::EffectsReader(const llvm::MCRegisterInfo& registers,
                             const llvm::MCInstrInfo& instructions)
    : registers_(registers), instructions_(instructions) {
  general_.assign(registers_.getNumRegs(), kNoRegister);
  is_partial_.assign(registers_.getNumRegs(), false);
  for (unsigned i = 1; i < registers_.getNumRegs(); ++i) {
    const std::string_view name = registers_.getName(i);
    if (name == "RIP") rip_ = i;
    for (int number = 0; number < kRegisterCount; ++number) {
      if (name != kNames[static_cast<size_t>(number)]) continue;
      // RAX, EAX, HAX, AX, AH, AL: only the first two are written as a whole.
      for (const auto part : registers_.subregs_inclusive(i)) {
        const std::string_view part_name = registers_.getName(part);
        general_[part] = number;
        const bool whole = part == i || part_name == "E" + std::string(name.substr(1)) ||
                           part_name == std::string(name) + "D";
        is_partial_[part] = !whole;
      }
    }
  }
  FindMeanings();
}

void EffectsReader::FindMeanings() {
  for (unsigned opcode = 0; opcode < instructions_.getNumOpcodes(); ++opcode) {
    const std::string_view name = instructions_.getName(opcode);
    for (const NamedMeaning& each : kMeanings) {
      if (each.name == name) meanings_[opcode] = {each.operation, each.sign, each.fills};
    }
  }
}

Effects EffectsReader::Read(const llvm::MCInst& decoded, FileAddr end) const {
  Effects effects;
  const llvm::MCInstrDesc& description = instructions_.get(decoded.getOpcode());
  ReadFlow(decoded, description, end, effects);
  ReadOperands(decoded, description, end, effects);
  ReadOperation(decoded, effects);
  if (IsClearing(instructions_.getName(decoded.getOpcode()), decoded)) {
    effects.reads = 0;
    effects.operation = Operation::kMove;
    effects.immediate = 0;
    effects.destination = general_[decoded.getOperand(0).getReg()];
  }
  return effects;
}

// `xor r, r` depends on nothing.
bool EffectsReader::IsClearing(std::string_view name, const llvm::MCInst& decoded) {
  if (!name.starts_with("XOR32rr") && !name.starts_with("XOR64rr")) return false;
  return decoded.getNumOperands() == 3 &&
         decoded.getOperand(1).getReg() == decoded.getOperand(2).getReg();
}

void EffectsReader::ReadFlow(const llvm::MCInst& decoded, const llvm::MCInstrDesc& description,
                             FileAddr end, Effects& effects) const {
  const std::string_view name = instructions_.getName(decoded.getOpcode());
  for (unsigned i = 0; i < description.getNumOperands() && i < decoded.getNumOperands(); ++i) {
    const llvm::MCOperand& operand = decoded.getOperand(i);
    if (description.operands()[i].OperandType != llvm::MCOI::OPERAND_PCREL || !operand.isImm()) {
      continue;
    }
    effects.target = end + static_cast<uint64_t>(operand.getImm());
    effects.direct = true;
  }
  if (name == "TRAP" || name == "HLT") {
    effects.flow = Flow::kStop;
  } else if (description.isCall()) {
    effects.flow = Flow::kCall;
  } else if (description.isReturn()) {
    effects.flow = Flow::kReturn;
  } else if (description.isIndirectBranch()) {
    effects.flow = Flow::kIndirectJump;
  } else if (description.isConditionalBranch()) {
    effects.flow = Flow::kBranch;
  } else if (description.isUnconditionalBranch()) {
    effects.flow = Flow::kJump;
  }
}

void EffectsReader::AddRegister(unsigned number, bool is_definition, Effects& effects) const {
  const int general = general_[number];
  if (general == kNoRegister) return;
  if (!is_definition || is_partial_[number]) effects.reads |= Bit(general);
  if (is_definition) effects.writes |= Bit(general);
}

void EffectsReader::ReadOperands(const llvm::MCInst& decoded, const llvm::MCInstrDesc& description,
                                 FileAddr end, Effects& effects) const {
  for (unsigned i = 0; i < decoded.getNumOperands(); ++i) {
    const llvm::MCOperand& operand = decoded.getOperand(i);
    const bool described = i < description.getNumOperands();
    const bool memory =
        (described && description.operands()[i].OperandType == llvm::MCOI::OPERAND_MEMORY) ||
        (i == 1 && instructions_.getName(decoded.getOpcode()).starts_with("LEA"));
    if (memory && operand.isReg() && i + kMemoryOperands <= decoded.getNumOperands()) {
      effects.memory = ReadMemory(decoded, i, end);
      effects.memory->reads = description.mayLoad();
      effects.memory->writes = description.mayStore();
      for (const unsigned part : {i, i + 2}) {
        AddRegister(decoded.getOperand(part).getReg(), false, effects);
      }
      i += kMemoryOperands - 1;
    } else if (operand.isReg()) {
      AddRegister(operand.getReg(), i < description.getNumDefs(), effects);
    }
  }
  for (const auto number : description.implicit_defs()) AddRegister(number, true, effects);
  for (const auto number : description.implicit_uses()) AddRegister(number, false, effects);
}

MemoryAccess EffectsReader::ReadMemory(const llvm::MCInst& decoded, unsigned first,
                                       FileAddr end) const {
  MemoryAccess memory;
  const unsigned base = decoded.getOperand(first).getReg();
  const unsigned index = decoded.getOperand(first + 2).getReg();
  const llvm::MCOperand& displacement = decoded.getOperand(first + 3);
  memory.displacement = displacement.isImm() ? displacement.getImm() : 0;
  memory.scale = static_cast<uint32_t>(decoded.getOperand(first + 1).getImm());
  if (base == rip_) {
    memory.rip_relative = true;
    memory.target = end + static_cast<uint64_t>(memory.displacement);
    return memory;
  }
  memory.base = general_[base];
  memory.index = general_[index];
  memory.other_base = decoded.getOperand(first + 4).getReg() != 0 || !displacement.isImm() ||
                      (base != 0 && memory.base == kNoRegister) ||
                      (index != 0 && memory.index == kNoRegister);
  return memory;
}

void EffectsReader::ReadOperation(const llvm::MCInst& decoded, Effects& effects) const {
  const auto found = meanings_.find(decoded.getOpcode());
  if (found == meanings_.end()) return;
  effects.operation = found->second.operation;
  const llvm::MCInstrDesc& description = instructions_.get(decoded.getOpcode());
  for (unsigned i = 0; i < decoded.getNumOperands(); ++i) {
    const llvm::MCOperand& operand = decoded.getOperand(i);
    const bool memory = effects.memory && i >= description.getNumDefs() &&
                        i < description.getNumDefs() + kMemoryOperands;
    if (memory) continue;
    if (operand.isReg()) {
      (i < description.getNumDefs() ? effects.destination : effects.source) =
          general_[operand.getReg()];
    } else if (operand.isImm()) {
      int64_t value = operand.getImm() * found->second.sign;
      if (found->second.fills) value &= std::numeric_limits<uint32_t>::max();
      effects.immediate = value;
    }
  }
}

}  // namespace mcr::mutator
