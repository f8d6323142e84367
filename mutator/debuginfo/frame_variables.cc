#include "mutator/debuginfo/frame_variables.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFCompileUnit.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/DebugInfo/DWARF/DWARFUnit.h>

#include <algorithm>
#include <utility>

#include "mutator/debuginfo/debug_file_finder.h"
#include "mutator/debuginfo/die.h"
#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/llvm_error.h"
#include "mutator/debuginfo/location_reader.h"
#include "mutator/debuginfo/type_collector.h"

namespace mcr::mutator {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

// Inlined calls nest, too, but only corrupt debug information goes on like this.
constexpr int kDeepestBlock = 1000;

bool IsBlock(dwarf::Tag tag) {
  return tag == dwarf::DW_TAG_lexical_block || tag == dwarf::DW_TAG_inlined_subroutine ||
         tag == dwarf::DW_TAG_try_block || tag == dwarf::DW_TAG_catch_block;
}

std::vector<Range<FileAddr>> RangesOf(const DWARFDie& die) {
  std::vector<Range<FileAddr>> found;
  auto ranges = die.getAddressRanges();
  if (!ranges) {
    llvm::consumeError(ranges.takeError());
    return found;
  }
  for (const llvm::DWARFAddressRange& each : *ranges) {
    const auto range = Range<FileAddr>::FromTo(FileAddr(each.LowPC), FileAddr(each.HighPC));
    if (range) found.push_back(*range);
  }
  return found;
}

// Reads one function's variables, block by block.
class FrameReader {
 public:
  explicit FrameReader(const DWARFDie& function)
      : function_(function), frame_base_(ReadFrameBase(function)) {}

  Result<FunctionFrame> Read() {
    NoteTypedefs();
    MCR_TRY(ReadBlock(function_, "", {}, 0));
    MCR_ASSIGN(MergedTypes merged, MergeTypes(collector_.Finish()));
    for (size_t i = 0; i < frame_.variables.size(); ++i) {
      FrameVariable& variable = frame_.variables[i];
      variable.type = merged.ids[nodes_[i]];
      variable.size = merged.types[variable.type].size;
    }
    frame_.types = std::move(merged.types);
    return std::move(frame_);
  }

 private:
  // Unnamed types go by them.
  void NoteTypedefs() {
    llvm::DWARFUnit& unit = *function_.getDwarfUnit();
    for (const llvm::DWARFDebugInfoEntry& entry : unit.dies()) {
      if (entry.getTag() == dwarf::DW_TAG_typedef) collector_.NoteTypedef(DWARFDie(&unit, &entry));
    }
  }

  Status ReadBlock(const DWARFDie& block, const std::string& prefix,
                   const std::vector<Range<FileAddr>>& scope, int depth) {
    if (depth > kDeepestBlock) return Fail("debug information nests blocks without end", prefix);
    for (const DWARFDie& child : block.children()) {
      const dwarf::Tag tag = child.getTag();
      if (tag == dwarf::DW_TAG_variable || tag == dwarf::DW_TAG_formal_parameter) {
        ReadVariable(child, prefix, scope);
      } else if (IsBlock(tag)) {
        std::string inner = prefix;
        if (tag == dwarf::DW_TAG_inlined_subroutine) {
          const char* name = child.getSubroutineName(llvm::DINameKind::ShortName);
          inner += std::string(name == nullptr ? "(unknown)" : name) + "/";
        }
        std::vector<Range<FileAddr>> ranges = RangesOf(child);
        MCR_TRY(ReadBlock(child, inner, ranges.empty() ? scope : ranges, depth + 1));
      }
    }
    return {};
  }

  void ReadVariable(const DWARFDie& die, const std::string& prefix,
                    const std::vector<Range<FileAddr>>& scope) {
    if (ReadStaticLocation(die)) return;
    const DWARFDie origin = Origin(die);
    if (Flag(die, dwarf::DW_AT_external) || Flag(origin, dwarf::DW_AT_external)) return;
    FrameVariable variable;
    variable.name = prefix + std::string(Name(origin));
    variable.scope = scope;
    ReadLocations(die, variable);
    NodeId node = collector_.TypeOf(die);
    if (node == 0) node = collector_.TypeOf(origin);
    nodes_.push_back(node);
    frame_.variables.push_back(std::move(variable));
  }

  void ReadLocations(const DWARFDie& die, FrameVariable& variable) const {
    if (const auto constant = die.find(dwarf::DW_AT_const_value)) {
      const auto number = constant->getAsSignedConstant();
      const auto bits = constant->getAsUnsignedConstant();
      if (!number && !bits) return;
      const int64_t value = number ? *number : static_cast<int64_t>(*bits);
      variable.locations.push_back(
          {std::nullopt, {{Location::Kind::kNumber, kNoRegister, value, 0}}});
      return;
    }
    auto locations = die.getLocations(dwarf::DW_AT_location);
    if (!locations) {
      llvm::consumeError(locations.takeError());
      return;
    }
    for (const llvm::DWARFLocationExpression& each : *locations) {
      FrameVariable::Described described;
      if (each.Range) {
        described.where =
            Range<FileAddr>::FromTo(FileAddr(each.Range->LowPC), FileAddr(each.Range->HighPC));
        if (!described.where) continue;
      }
      described.pieces = ReadLocation(each.Expr, *die.getDwarfUnit(), frame_base_);
      variable.locations.push_back(std::move(described));
    }
  }

  const DWARFDie function_;
  const Location frame_base_;
  TypeCollector collector_;
  FunctionFrame frame_;
  std::vector<NodeId> nodes_;  // parallel to frame_.variables
};

class LlvmFrameVariables : public FrameVariables {
 public:
  static Result<std::unique_ptr<FrameVariables>> Create(const std::string& path,
                                                        const DebugSearch& search) {
    auto variables = std::make_unique<LlvmFrameVariables>();
    MCR_ASSIGN(variables->file_, ElfFile::Open(path));
    MCR_ASSIGN(std::unique_ptr<ElfFile> separate, FindDebugFile(*variables->file_, search));
    if (separate != nullptr) variables->file_ = std::move(separate);
    auto ignore = [](llvm::Error problem) { llvm::consumeError(std::move(problem)); };
    variables->context_ = llvm::DWARFContext::create(
        variables->file_->object(), llvm::DWARFContext::ProcessDebugRelocations::Ignore, nullptr,
        "", ignore, ignore);
    return variables;
  }

  Result<FunctionFrame> Read(FileAddr function) const override {
    llvm::DWARFUnit* unit = UnitOf(function);
    const DWARFDie die =
        unit == nullptr ? DWARFDie() : unit->getSubroutineForAddress(function.value());
    if (!die) return Fail("debug information says nothing of the function", Hex(function));
    DWARFDie whole = die;
    while (whole && whole.getTag() != dwarf::DW_TAG_subprogram) whole = whole.getParent();
    if (!whole) return Fail("debug information says nothing of the function", Hex(function));
    return FrameReader(whole).Read();
  }

  SourcePlace PlaceOf(FileAddr instruction) const override {
    SourcePlace place;
    const llvm::DIInliningInfo chain = context_->getInliningInfoForAddress(
        {instruction.value(), llvm::object::SectionedAddress::UndefSection});
    for (uint32_t i = chain.getNumberOfFrames(); i > 0; --i) {
      const llvm::DILineInfo& line = chain.getFrame(i - 1);
      place.emplace_back(line.Line, line.Column);
    }
    return place;
  }

 private:
  llvm::DWARFUnit* UnitOf(FileAddr address) const {
    return context_->getCompileUnitForCodeAddress(address.value());
  }

  std::unique_ptr<ElfFile> file_;
  std::unique_ptr<llvm::DWARFContext> context_;
};

}  // namespace

bool FrameVariable::IsInScope(FileAddr at) const {
  return scope.empty() || std::ranges::any_of(scope, [&](const Range<FileAddr>& range) {
           return range.Contains(at);
         });
}

const std::vector<Location>* FrameVariable::At(FileAddr at) const {
  const Described* otherwise = nullptr;
  for (const Described& each : locations) {
    if (!each.where) otherwise = &each;
    if (each.where && each.where->Contains(at)) return &each.pieces;
  }
  return otherwise == nullptr ? nullptr : &otherwise->pieces;
}

Result<std::unique_ptr<FrameVariables>> FrameVariables::Open(const std::string& path,
                                                             const DebugSearch& search) {
  return LlvmFrameVariables::Create(path, search);
}

}  // namespace mcr::mutator
