#include "mutator/debuginfo/raw_storage.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/BinaryFormat/Dwarf.h>

#include <cstdint>
#include <optional>

#include "mutator/debuginfo/die.h"

namespace mcr::mutator {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

DWARFDie TypeOf(const DWARFDie& die) {
  return Unaliased(die.getAttributeValueAsReferencedDie(dwarf::DW_AT_type));
}

// 0: it has none of its own, or is only declared.
uint64_t SizeOf(const DWARFDie& type) {
  return type ? Unsigned(type, dwarf::DW_AT_byte_size).value_or(0) : 0;
}

bool IsData(const DWARFDie& die) {
  return die.getTag() == dwarf::DW_TAG_member && !Flag(die, dwarf::DW_AT_external) &&
         !Flag(die, dwarf::DW_AT_declaration);
}

// The only child that `is_one`; invalid if there is none, or more than one.
template <class Predicate>
DWARFDie OnlyChild(const DWARFDie& die, Predicate is_one) {
  DWARFDie only;
  for (const DWARFDie child : die.children()) {
    if (!is_one(child)) continue;
    if (only) return {};
    only = child;
  }
  return only;
}

// `unsigned char[size]`.
bool IsBytes(const DWARFDie& type, uint64_t size) {
  if (type.getTag() != dwarf::DW_TAG_array_type || SizeOf(TypeOf(type)) != 1) return false;
  const DWARFDie extent = OnlyChild(
      type, [](const DWARFDie& die) { return die.getTag() == dwarf::DW_TAG_subrange_type; });
  if (!extent) return false;
  const auto count = Unsigned(extent, dwarf::DW_AT_count);
  const auto upper = Unsigned(extent, dwarf::DW_AT_upper_bound);
  return count ? *count == size : upper && *upper + 1 == size;
}

bool IsEmpty(const DWARFDie& type) {
  return type.getTag() == dwarf::DW_TAG_structure_type && llvm::none_of(type.children(), IsData);
}

// std::aligned_storage's: bytes, and an empty struct that aligns them.
bool IsAlignedUnion(const DWARFDie& type, uint64_t size) {
  if (type.getTag() != dwarf::DW_TAG_union_type || SizeOf(type) != size) return false;
  const auto is_bytes = [&](const DWARFDie& die) {
    return IsData(die) && IsBytes(TypeOf(die), size);
  };
  const auto is_other = [&](const DWARFDie& die) {
    return IsData(die) && !IsBytes(TypeOf(die), size);
  };
  const DWARFDie other = OnlyChild(type, is_other);
  return OnlyChild(type, is_bytes) && other && IsEmpty(TypeOf(other));
}

}  // namespace

DWARFDie ReadRawStorage(const DWARFDie& record) {
  const uint64_t size = SizeOf(record);
  const DWARFDie parameter = OnlyChild(record, [](const DWARFDie& die) {
    return die.getTag() == dwarf::DW_TAG_template_type_parameter;
  });
  const DWARFDie member = OnlyChild(record, IsData);
  if (size == 0 || !parameter || !member) return {};
  const DWARFDie stored = TypeOf(parameter);
  // It begins where the record does and is as long: no base class has data, either.
  const bool is_all = Unsigned(member, dwarf::DW_AT_data_member_location).value_or(0) == 0;
  if (!is_all || !stored || SizeOf(stored) != size) return {};
  const DWARFDie type = TypeOf(member);
  if (!type) return {};
  // A copy of a value's bytes for another purpose has no reason to be aligned.
  const bool aligned_bytes =
      IsBytes(type, size) && Unsigned(member, dwarf::DW_AT_alignment).has_value();
  return aligned_bytes || IsAlignedUnion(type, size) ? stored : DWARFDie();
}

}  // namespace mcr::mutator
