#include "mutator/debuginfo/disassembler.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrDesc.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Triple.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mutator/debuginfo/effects_reader.h"

namespace mcr::mutator {
namespace {

constexpr char kTriple[] = "x86_64-linux-gnu";
constexpr unsigned kIntelSyntax = 1;
constexpr unsigned kMemoryOperands = 5;  // base, scale, index, displacement, segment
constexpr unsigned kDisplacement = 3;
constexpr unsigned kSegment = 4;

struct AccessName {
  std::string_view text;
  uint64_t size;
};
// As the Intel syntax has them; longer names before those that they contain.
constexpr AccessName kAccessNames[] = {
    {"zmmword ptr", 64}, {"ymmword ptr", 32}, {"xmmword ptr", 16}, {"tbyte ptr", 10},
    {"xword ptr", 10},   {"qword ptr", 8},    {"fword ptr", 6},    {"dword ptr", 4},
    {"word ptr", 2},     {"byte ptr", 1},
};

llvm::ArrayRef<uint8_t> Bytes(std::span<const std::byte> code) {
  return {reinterpret_cast<const uint8_t*>(code.data()), code.size()};
}

class LlvmDisassembler : public Disassembler {
 public:
  Status Init() {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86Disassembler();
    std::string problem;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, problem);
    if (target == nullptr) return Fail("LLVM has no x86-64 disassembler: " + problem);
    registers_.reset(target->createMCRegInfo(kTriple));
    assembly_.reset(target->createMCAsmInfo(*registers_, kTriple, llvm::MCTargetOptions()));
    instructions_.reset(target->createMCInstrInfo());
    subtarget_.reset(target->createMCSubtargetInfo(kTriple, "", ""));
    context_ = std::make_unique<llvm::MCContext>(llvm::Triple(kTriple), assembly_.get(),
                                                 registers_.get(), subtarget_.get());
    decoder_.reset(target->createMCDisassembler(*subtarget_, *context_));
    printer_.reset(target->createMCInstPrinter(llvm::Triple(kTriple), kIntelSyntax, *assembly_,
                                               *instructions_, *registers_));
    if (!decoder_ || !printer_) return Fail("LLVM has no x86-64 disassembler");
    FindRegisters();
    FindOpcodes();
    effects_ = std::make_unique<EffectsReader>(*registers_, *instructions_);
    return {};
  }

  std::optional<Instruction> Decode(std::span<const std::byte> code, FileAddr at) const override {
    llvm::MCInst decoded;
    uint64_t size = 0;
    if (!DecodeOne(code, at, decoded, size)) return std::nullopt;
    Instruction instruction{.at = at,
                            .size = static_cast<uint32_t>(size),
                            .opcode = CanonicalOpcode(decoded.getOpcode()),
                            .prefixes = decoded.getFlags(),
                            .is_padding = IsPadding(decoded)};
    const std::optional<unsigned> relative = RelativeOperand(decoded, instruction);
    for (unsigned i = 0; i < decoded.getNumOperands(); ++i) {
      if (i != relative) instruction.operands.push_back(Translate(decoded.getOperand(i)));
    }
    return instruction;
  }

  Effects EffectsOf(std::span<const std::byte> code, FileAddr at) const override {
    llvm::MCInst decoded;
    uint64_t size = 0;
    if (!DecodeOne(code, at, decoded, size)) return Effects{.flow = Flow::kStop};
    Effects effects = effects_->Read(decoded, at + size);
    if (effects.memory) effects.memory->size = AccessSize(code, at);
    return effects;
  }

  std::string Describe(std::span<const std::byte> code, FileAddr at) const override {
    llvm::MCInst decoded;
    uint64_t size = 0;
    if (!DecodeOne(code, at, decoded, size)) return "not an instruction";
    std::string text;
    llvm::raw_string_ostream stream(text);
    printer_->printInst(&decoded, at.value(), "", *subtarget_, stream);
    std::string line;
    for (const char c : text) {
      const bool space = c == '\t' || c == ' ';
      if (!space) line += c;
      if (space && !line.empty() && line.back() != ' ') line += ' ';
    }
    return line;
  }

 private:
  bool DecodeOne(std::span<const std::byte> code, FileAddr at, llvm::MCInst& decoded,
                 uint64_t& size) const {
    return decoder_->getInstruction(decoded, size, Bytes(code), at.value(), llvm::nulls()) ==
               llvm::MCDisassembler::Success &&
           size != 0 && size <= code.size();
  }

  void FindRegisters() {
    for (unsigned i = 1; i < registers_->getNumRegs(); ++i) {
      const std::string_view name = registers_->getName(i);
      if (name == "RIP") rip_ = i;
      if (name == "FS") fs_ = i;
    }
  }

  // A jump's length depends on its distance; padding instructions come in any length.
  void FindOpcodes() {
    std::unordered_map<std::string, unsigned> shortest;
    for (unsigned opcode = 0; opcode < instructions_->getNumOpcodes(); ++opcode) {
      const llvm::StringRef name = instructions_->getName(opcode);
      const auto [stem, width] = name.split('_');
      if ((stem == "JMP" || stem == "JCC") && (width == "1" || width == "2" || width == "4")) {
        canonical_[opcode] = shortest.try_emplace(stem.str(), opcode).first->second;
      }
      if (name.starts_with("NOOP")) padding_.insert(opcode);
      if (name == "XCHG16ar") exchange_ax_ = opcode;
      if (name.starts_with("LEA")) loads_address_.insert(opcode);
    }
    ax_ = 0;
    for (unsigned i = 1; i < registers_->getNumRegs(); ++i) {
      if (std::string_view(registers_->getName(i)) == "AX") ax_ = i;
    }
  }

  uint32_t CanonicalOpcode(unsigned opcode) const {
    const auto found = canonical_.find(opcode);
    return found == canonical_.end() ? opcode : found->second;
  }

  bool IsPadding(const llvm::MCInst& decoded) const {
    if (padding_.contains(decoded.getOpcode())) return true;
    // 66 90: exchanges %ax with itself.
    return decoded.getOpcode() == exchange_ax_ && decoded.getNumOperands() > 0 &&
           decoded.getOperand(0).isReg() && decoded.getOperand(0).getReg() == ax_;
  }

  // Fills in the reference; the index of the operand that encodes it.
  std::optional<unsigned> RelativeOperand(const llvm::MCInst& decoded,
                                          Instruction& instruction) const {
    const llvm::MCInstrDesc& description = instructions_->get(decoded.getOpcode());
    for (unsigned i = 0; i < decoded.getNumOperands(); ++i) {
      const llvm::MCOperand& operand = decoded.getOperand(i);
      const bool described = i < description.getNumOperands();
      const unsigned type = described ? description.operands()[i].OperandType : 0;
      if (type == llvm::MCOI::OPERAND_PCREL && operand.isImm()) {
        instruction.reference = description.isCall() ? Reference::kCall : Reference::kJump;
        instruction.target = instruction.end() + static_cast<uint64_t>(operand.getImm());
        return i;
      }
      // lea's operands are those of a memory access, but LLVM does not say so: it accesses none.
      const bool lea = i == 1 && loads_address_.contains(decoded.getOpcode());
      const bool memory = (lea || type == llvm::MCOI::OPERAND_MEMORY) && operand.isReg() &&
                          i + kMemoryOperands <= decoded.getNumOperands();
      if (!memory) continue;
      const llvm::MCOperand& segment = decoded.getOperand(i + kSegment);
      instruction.thread_local_operand |= segment.isReg() && segment.getReg() == fs_;
      const llvm::MCOperand& displacement = decoded.getOperand(i + kDisplacement);
      if (operand.getReg() == rip_ && displacement.isImm()) {
        instruction.reference =
            loads_address_.contains(decoded.getOpcode()) ? Reference::kAddress : Reference::kMemory;
        instruction.target = instruction.end() + static_cast<uint64_t>(displacement.getImm());
        return i + kDisplacement;
      }
      i += kMemoryOperands - 1;
    }
    return std::nullopt;
  }

  static Operand Translate(const llvm::MCOperand& operand) {
    if (operand.isReg()) return {true, static_cast<int64_t>(operand.getReg())};
    return {false, operand.isImm() ? operand.getImm() : 0};
  }

  std::unique_ptr<llvm::MCRegisterInfo> registers_;
  std::unique_ptr<llvm::MCAsmInfo> assembly_;
  std::unique_ptr<llvm::MCInstrInfo> instructions_;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
  std::unique_ptr<llvm::MCContext> context_;
  std::unique_ptr<llvm::MCDisassembler> decoder_;
  std::unique_ptr<llvm::MCInstPrinter> printer_;
  std::unique_ptr<EffectsReader> effects_;
  unsigned rip_ = 0, fs_ = 0, ax_ = 0, exchange_ax_ = 0;
  std::unordered_map<unsigned, uint32_t> canonical_;
  std::unordered_set<unsigned> padding_;
  std::unordered_set<unsigned> loads_address_;
};

}  // namespace

Result<std::unique_ptr<Disassembler>> Disassembler::Create() {
  auto disassembler = std::make_unique<LlvmDisassembler>();
  MCR_TRY(disassembler->Init());
  return disassembler;
}

uint64_t Disassembler::AccessSize(std::span<const std::byte> code, FileAddr at) const {
  const std::string text = Describe(code, at);
  for (const AccessName& access : kAccessNames) {
    if (text.find(access.text) != std::string::npos) return access.size;
  }
  return 0;
}

Result<std::vector<Instruction>> Disassembler::DecodeAll(std::span<const std::byte> code,
                                                         FileAddr at) const {
  std::vector<Instruction> instructions;
  while (!code.empty()) {
    auto instruction = Decode(code, at);
    if (!instruction) return Fail("has bytes that are no instruction", Hex(at));
    code = code.subspan(instruction->size);
    at = at + instruction->size;
    instructions.push_back(std::move(*instruction));
  }
  return instructions;
}

}  // namespace mcr::mutator
