#include "mutator/debuginfo/location_reader.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFDie.h>
#include <llvm/DebugInfo/DWARF/DWARFExpression.h>
#include <llvm/Support/DataExtractor.h>

#include <optional>

namespace mcr::mutator {
namespace {

namespace dwarf = llvm::dwarf;
using Kind = Location::Kind;
using Step = llvm::DWARFExpression::Operation;

Location InRegister(uint64_t number) {
  if (number >= static_cast<uint64_t>(kRegisterCount)) return {};
  return {Kind::kRegister, static_cast<int>(number), 0, 0};
}

Location FromRegister(uint64_t number, int64_t offset) {
  Location location = InRegister(number);
  if (location.kind == Kind::kNowhere) return {};
  location.kind = Kind::kRegisterMemory;
  location.offset = offset;
  return location;
}

// Where an expression is after each of its operations.
class Reader {
 public:
  explicit Reader(const Location& frame_base) : frame_base_(frame_base) {}

  void Take(const Step& operation) {
    const uint8_t code = operation.getCode();
    if (operation.isError()) {
      lost_ = true;
    } else if (code == dwarf::DW_OP_piece) {
      EndPiece(operation.getRawOperand(0));
    } else if (code == dwarf::DW_OP_entry_value || code == dwarf::DW_OP_GNU_entry_value) {
      Start({Kind::kEntry, kNoRegister, 0, 0});
    } else if (code == dwarf::DW_OP_stack_value) {
      MakeValue();
    } else if (code == dwarf::DW_OP_plus_uconst) {
      Add(static_cast<int64_t>(operation.getRawOperand(0)));
    } else if (const auto found = Simple(operation)) {
      Start(*found);
    } else {
      lost_ = true;
    }
  }

  std::vector<Location> Finish() {
    if (pieces_.empty()) EndPiece(0);
    return std::move(pieces_);
  }

 private:
  std::optional<Location> Simple(const Step& operation) const {
    const uint8_t code = operation.getCode();
    const auto operand = [&] { return operation.getRawOperand(0); };
    if (code >= dwarf::DW_OP_reg0 && code <= dwarf::DW_OP_reg31) {
      return InRegister(code - dwarf::DW_OP_reg0);
    }
    if (code == dwarf::DW_OP_regx) return InRegister(operand());
    if (code >= dwarf::DW_OP_breg0 && code <= dwarf::DW_OP_breg31) {
      return FromRegister(code - dwarf::DW_OP_breg0, static_cast<int64_t>(operand()));
    }
    if (code == dwarf::DW_OP_fbreg) {
      Location location = frame_base_;
      location.offset += static_cast<int64_t>(operand());
      return location;
    }
    if (code >= dwarf::DW_OP_lit0 && code <= dwarf::DW_OP_lit31) {
      return Location{Kind::kNumber, kNoRegister, code - dwarf::DW_OP_lit0, 0};
    }
    switch (code) {
      case dwarf::DW_OP_const1u:
      case dwarf::DW_OP_const1s:
      case dwarf::DW_OP_const2u:
      case dwarf::DW_OP_const2s:
      case dwarf::DW_OP_const4u:
      case dwarf::DW_OP_const4s:
      case dwarf::DW_OP_const8u:
      case dwarf::DW_OP_const8s:
      case dwarf::DW_OP_constu:
      case dwarf::DW_OP_consts:
        return Location{Kind::kNumber, kNoRegister, static_cast<int64_t>(operand()), 0};
      default:
        return std::nullopt;
    }
  }

  void Start(const Location& location) {
    const bool entry = current_.kind == Kind::kEntry && current_.register_number == kNoRegister;
    if (entry && location.kind == Kind::kRegister) {
      current_.register_number = location.register_number;
      return;
    }
    // Two values on the stack are an operation that is not understood.
    lost_ |= started_;
    started_ = true;
    current_ = location;
  }

  void Add(int64_t number) { current_.offset += number; }

  void MakeValue() {
    is_value_ = true;
    if (current_.kind == Kind::kRegisterMemory) current_.kind = Kind::kRegisterSum;
    if (current_.kind == Kind::kFrame) current_.kind = Kind::kFrameAddress;
  }

  void EndPiece(uint64_t size) {
    // A number that is no value is an address: of a variable that is no part of the frame.
    const bool address =
        !is_value_ && (current_.kind == Kind::kNumber || current_.kind == Kind::kEntry);
    if (lost_ || !started_ || address) current_ = {};
    current_.size = size;
    pieces_.push_back(current_);
    current_ = {};
    started_ = is_value_ = lost_ = false;
  }

  const Location frame_base_;
  std::vector<Location> pieces_;
  Location current_;
  bool started_ = false, is_value_ = false, lost_ = false;
};

}  // namespace

std::vector<Location> ReadLocation(llvm::ArrayRef<uint8_t> expression, llvm::DWARFUnit& unit,
                                   const Location& frame_base) {
  const llvm::StringRef bytes(reinterpret_cast<const char*>(expression.data()), expression.size());
  const llvm::DWARFExpression parsed(llvm::DataExtractor(bytes, /*IsLittleEndian=*/true, 8), 8,
                                     unit.getFormat());
  Reader reader(frame_base);
  for (const Step& operation : parsed) reader.Take(operation);
  return reader.Finish();
}

Location ReadFrameBase(const llvm::DWARFDie& function) {
  const auto value = function.find(dwarf::DW_AT_frame_base);
  const auto block = value ? value->getAsBlock() : std::nullopt;
  if (!block || block->empty()) return {};
  const uint8_t code = block->front();
  if (block->size() == 1 && code == dwarf::DW_OP_call_frame_cfa) {
    return {Kind::kFrame, kNoRegister, 0, 0};
  }
  const bool is_register =
      block->size() == 1 && code >= dwarf::DW_OP_reg0 && code <= dwarf::DW_OP_reg31;
  return is_register ? FromRegister(code - dwarf::DW_OP_reg0, 0) : Location{};
}

}  // namespace mcr::mutator
