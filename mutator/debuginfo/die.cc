#include "mutator/debuginfo/die.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFExpression.h>
#include <llvm/DebugInfo/DWARF/DWARFUnit.h>
#include <llvm/Support/DataExtractor.h>

#include <algorithm>
#include <vector>

namespace mcr::mutator {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

constexpr int kLongestChain =
    64;  // scopes, origins, typedefs of typedefs: corrupt input has cycles

bool IsAlias(dwarf::Tag tag) {
  switch (tag) {
    case dwarf::DW_TAG_typedef:
    case dwarf::DW_TAG_const_type:
    case dwarf::DW_TAG_volatile_type:
    case dwarf::DW_TAG_restrict_type:
    case dwarf::DW_TAG_atomic_type:
    case dwarf::DW_TAG_immutable_type:
    case dwarf::DW_TAG_packed_type:
    case dwarf::DW_TAG_shared_type:
      return true;
    default:
      return false;
  }
}

// The operand of an opcode that pushes a constant or an address.
std::optional<uint64_t> ReadOperand(llvm::DWARFUnit& unit, uint8_t opcode,
                                    const llvm::DataExtractor& data,
                                    llvm::DataExtractor::Cursor& cursor) {
  switch (opcode) {
    case dwarf::DW_OP_addr:
    case dwarf::DW_OP_const8u:
      return data.getU64(cursor);
    case dwarf::DW_OP_const4u:
      return data.getU32(cursor);
    case dwarf::DW_OP_addrx:
    case dwarf::DW_OP_constx:
    case dwarf::DW_OP_GNU_addr_index:
    case dwarf::DW_OP_GNU_const_index: {
      const uint64_t index = data.getULEB128(cursor);
      if (!cursor || index > UINT32_MAX) return std::nullopt;
      const auto item = unit.getAddrOffsetSectionItem(static_cast<uint32_t>(index));
      if (!item) return std::nullopt;
      return item->Address;
    }
    default:
      return std::nullopt;
  }
}

bool IsAddress(uint8_t opcode) {
  return opcode == dwarf::DW_OP_addr || opcode == dwarf::DW_OP_addrx ||
         opcode == dwarf::DW_OP_GNU_addr_index;
}

std::optional<uint64_t> ReadConstant(const llvm::DataExtractor& data,
                                     llvm::DataExtractor::Cursor& cursor) {
  const uint8_t opcode = data.getU8(cursor);
  if (opcode >= dwarf::DW_OP_lit0 && opcode <= dwarf::DW_OP_lit31)
    return opcode - dwarf::DW_OP_lit0;
  if (opcode == dwarf::DW_OP_const1u) return data.getU8(cursor);
  if (opcode == dwarf::DW_OP_constu) return data.getULEB128(cursor);
  return std::nullopt;
}

// What LLVM writes behind the address of the byte (GlobalOpt.cpp, TryToShrinkGlobalToBoolean):
// DW_OP_deref_size 1, factor, DW_OP_mul, first value, DW_OP_plus, DW_OP_stack_value.
std::optional<TwoValues> ReadTwoValues(const llvm::DataExtractor& data,
                                       llvm::DataExtractor::Cursor& cursor) {
  if (data.getU8(cursor) != 1) return std::nullopt;
  const auto factor = ReadConstant(data, cursor);
  if (!factor || data.getU8(cursor) != dwarf::DW_OP_mul) return std::nullopt;
  const auto first = ReadConstant(data, cursor);
  if (!first || data.getU8(cursor) != dwarf::DW_OP_plus) return std::nullopt;
  if (data.getU8(cursor) != dwarf::DW_OP_stack_value) return std::nullopt;
  return TwoValues{*first, *first + *factor};
}

bool IsScope(dwarf::Tag tag) {
  return tag == dwarf::DW_TAG_namespace || tag == dwarf::DW_TAG_structure_type ||
         tag == dwarf::DW_TAG_class_type || tag == dwarf::DW_TAG_union_type;
}

}  // namespace

std::optional<uint64_t> Unsigned(const DWARFDie& die, dwarf::Attribute attribute) {
  const auto value = die.find(attribute);
  if (!value) return std::nullopt;
  if (const auto number = value->getAsUnsignedConstant()) return number;
  if (const auto number = value->getAsSignedConstant()) return static_cast<uint64_t>(*number);
  return std::nullopt;
}

bool Flag(const DWARFDie& die, dwarf::Attribute attribute) {
  return dwarf::toUnsigned(die.find(attribute), 0) != 0;
}

std::string_view Name(const DWARFDie& die) {
  const char* name = dwarf::toString(die.find(dwarf::DW_AT_name), nullptr);
  return name == nullptr ? std::string_view() : name;
}

DWARFDie Unaliased(DWARFDie die) {
  for (int hop = 0; hop < kLongestChain && die; ++hop) {
    if (!IsAlias(die.getTag())) return die.resolveTypeUnitReference();
    die = die.getAttributeValueAsReferencedDie(dwarf::DW_AT_type);
  }
  return {};
}

DWARFDie Origin(const DWARFDie& die) {
  DWARFDie origin = die;
  for (int hop = 0; hop < kLongestChain; ++hop) {
    DWARFDie next = origin.getAttributeValueAsReferencedDie(dwarf::DW_AT_abstract_origin);
    if (!next) next = origin.getAttributeValueAsReferencedDie(dwarf::DW_AT_specification);
    if (!next) break;
    origin = next;
  }
  return origin;
}

std::string ScopePrefix(const DWARFDie& die) {
  std::vector<std::string_view> scopes;
  for (DWARFDie at = die.getParent(); at && scopes.size() < kLongestChain; at = at.getParent()) {
    if (!IsScope(at.getTag())) break;
    const std::string_view name = Name(at);
    scopes.push_back(name.empty() ? "(anonymous)" : name);
  }
  std::string prefix;
  for (; !scopes.empty(); scopes.pop_back()) prefix += std::string(scopes.back()) + "::";
  return prefix;
}

std::string UnitName(const DWARFDie& die) {
  // Under link-time optimisation the DIE with the address stands in an artificial unit.
  const std::string_view origin = Name(Origin(die).getDwarfUnit()->getUnitDIE());
  return std::string(origin.empty() ? Name(die.getDwarfUnit()->getUnitDIE()) : origin);
}

std::optional<StaticLocation> ReadStaticLocation(const DWARFDie& die) {
  const auto value = die.find(dwarf::DW_AT_location);
  if (!value) return std::nullopt;
  const auto block = value->getAsBlock();
  if (!block || block->empty()) return std::nullopt;
  const llvm::DataExtractor data(*block, /*IsLittleEndian=*/true, /*AddressSize=*/8);
  llvm::DataExtractor::Cursor cursor(0);
  const uint8_t opcode = data.getU8(cursor);
  const auto operand = ReadOperand(*die.getDwarfUnit(), opcode, data, cursor);
  const bool complete = static_cast<bool>(cursor);
  const uint64_t next = cursor.tell();
  llvm::consumeError(cursor.takeError());
  if (!complete || !operand) return std::nullopt;
  const bool is_address = IsAddress(opcode);
  if (is_address && next == block->size()) return StaticLocation{.address = *operand};
  if (is_address || next + 1 != block->size()) return std::nullopt;
  const uint8_t last = block->back();
  if (last != dwarf::DW_OP_form_tls_address && last != dwarf::DW_OP_GNU_push_tls_address) {
    return std::nullopt;
  }
  return StaticLocation{.address = *operand, .thread_local_storage = true};
}

std::optional<std::vector<VariableInParts::Part>> ReadStaticPieces(const DWARFDie& die) {
  const auto value = die.find(dwarf::DW_AT_location);
  const auto block = value ? value->getAsBlock() : std::nullopt;
  if (!block || block->empty()) return std::nullopt;
  const llvm::DataExtractor data(*block, /*IsLittleEndian=*/true, /*AddressSize=*/8);
  llvm::DataExtractor::Cursor cursor(0);
  std::vector<VariableInParts::Part> pieces;
  std::optional<VariableInParts::Part> piece;
  uint64_t offset = 0;
  bool understood = true;
  while (understood && cursor && cursor.tell() < block->size()) {
    const uint8_t opcode = data.getU8(cursor);
    if (opcode == dwarf::DW_OP_piece) {
      const uint64_t size = data.getULEB128(cursor);
      if (piece) pieces.push_back({offset, size, piece->at, piece->two_values});
      piece.reset();
      understood = size < UINT32_MAX;  // a whole variable, from corrupt input, need not overflow
      offset += size;
    } else if (opcode == dwarf::DW_OP_deref_size) {
      understood = piece && !piece->two_values;
      if (understood) piece->two_values = ReadTwoValues(data, cursor);
      understood = understood && piece->two_values;
    } else {
      understood = IsAddress(opcode) && !piece;
      const auto address =
          understood ? ReadOperand(*die.getDwarfUnit(), opcode, data, cursor) : std::nullopt;
      understood = address.has_value();
      if (understood) piece = {0, 0, FileAddr(*address), {}};
    }
  }
  const bool complete = static_cast<bool>(cursor);
  llvm::consumeError(cursor.takeError());
  if (!complete || !understood) return std::nullopt;
  if (piece && piece->two_values && pieces.empty() && offset == 0) return std::vector{*piece};
  if (piece || pieces.empty()) return std::nullopt;
  return pieces;
}

bool IsScattered(const DWARFDie& die) {
  const auto value = die.find(dwarf::DW_AT_location);
  const auto block = value ? value->getAsBlock() : std::nullopt;
  if (!block || block->empty() || ReadStaticLocation(die)) return false;
  const llvm::DataExtractor data(*block, /*IsLittleEndian=*/true, /*AddressSize=*/8);
  const llvm::DWARFExpression expression(data, /*AddressSize=*/8,
                                         die.getDwarfUnit()->getFormParams().Format);
  return std::any_of(expression.begin(), expression.end(),
                     [](const auto& operation) { return IsAddress(operation.getCode()); });
}

}  // namespace mcr::mutator
