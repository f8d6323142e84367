#include "mutator/debuginfo/unit_bounds.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFDebugAbbrev.h>
#include <llvm/Support/DataExtractor.h>

#include <cstdint>
#include <string>

#include "mcr/base/address.h"

namespace mcr::mutator {
namespace {

namespace dwarf = llvm::dwarf;

class EntryWalker {
 public:
  explicit EntryWalker(llvm::DWARFUnit& unit)
      : unit_(unit),
        parameters_(unit.getFormParams()),
        data_(unit.getDebugInfoExtractor().getData().take_front(unit.getNextUnitOffset()),
              /*IsLittleEndian=*/true, unit.getAddressByteSize()),
        at_(unit.getOffset() + unit.getHeaderSize()) {}
  ~EntryWalker() { llvm::consumeError(at_.takeError()); }

  Status Walk() {
    // As in LLVM: the last entry ends the first one's children, or the unit.
    for (uint64_t depth = 0; at_ && at_.tell() < unit_.getNextUnitOffset();) {
      const uint64_t offset = at_.tell();
      const uint64_t code = data_.getULEB128(at_);
      if (code == 0) {
        if (depth <= 1) break;
        --depth;
        continue;
      }
      const auto* abbreviations = unit_.getAbbreviations();
      const auto* kind =
          abbreviations == nullptr ? nullptr : abbreviations->getAbbreviationDeclaration(code);
      if (kind == nullptr) return Broken("an entry of an unknown kind", offset);
      for (const auto& attribute : kind->attributes()) {
        if (!Skip(attribute.Form)) return Broken("a value of an unknown form", offset);
      }
      if (kind->hasChildren()) ++depth;
      if (depth == 0) break;
    }
    return at_ ? Status() : Broken("an entry that does not end", at_.tell());
  }

 private:
  static tl::unexpected<Error> Broken(const std::string& what, uint64_t offset) {
    return Fail(what, Hex(offset));
  }

  // Lengths are compared with what is left before they are gone along with.
  void SkipBytes(uint64_t count) {
    if (!at_) return;
    if (count > unit_.getNextUnitOffset() - at_.tell()) count = data_.size();
    data_.skip(at_, count);
  }

  // False: nobody knows the form.
  bool Skip(dwarf::Form form) {
    if (const auto size = dwarf::getFixedFormByteSize(form, parameters_)) {
      SkipBytes(*size);
      return true;
    }
    switch (form) {
      case dwarf::DW_FORM_block1:
        SkipBytes(data_.getU8(at_));
        return true;
      case dwarf::DW_FORM_block2:
        SkipBytes(data_.getU16(at_));
        return true;
      case dwarf::DW_FORM_block4:
        SkipBytes(data_.getU32(at_));
        return true;
      case dwarf::DW_FORM_block:
      case dwarf::DW_FORM_exprloc:
        SkipBytes(data_.getULEB128(at_));
        return true;
      case dwarf::DW_FORM_string:
        (void)data_.getCStrRef(at_);
        return true;
      case dwarf::DW_FORM_sdata:
        (void)data_.getSLEB128(at_);
        return true;
      case dwarf::DW_FORM_udata:
      case dwarf::DW_FORM_ref_udata:
      case dwarf::DW_FORM_strx:
      case dwarf::DW_FORM_addrx:
      case dwarf::DW_FORM_loclistx:
      case dwarf::DW_FORM_rnglistx:
      case dwarf::DW_FORM_GNU_addr_index:
      case dwarf::DW_FORM_GNU_str_index:
        (void)data_.getULEB128(at_);
        return true;
      default:  // DW_FORM_indirect, too, which no compiler writes
        return false;
    }
  }

  llvm::DWARFUnit& unit_;
  const dwarf::FormParams parameters_;
  const llvm::DataExtractor data_;
  llvm::DataExtractor::Cursor at_;
};

}  // namespace

Status CheckBounds(llvm::DWARFUnit& unit) { return EntryWalker(unit).Walk(); }

}  // namespace mcr::mutator
