#include "mutator/debuginfo/dwarf_reader.h"

#include <fmt/format.h>
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/DebugInfo/DWARF/DWARFObject.h>
#include <llvm/DebugInfo/DWARF/DWARFSection.h>
#include <llvm/DebugInfo/DWARF/DWARFUnit.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "mutator/debuginfo/die.h"
#include "mutator/debuginfo/llvm_error.h"
#include "mutator/debuginfo/sub_objects.h"
#include "mutator/debuginfo/type_collector.h"
#include "mutator/debuginfo/unit_bounds.h"

namespace mcr::mutator {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

bool IsExternal(const DWARFDie& die, const DWARFDie& origin) {
  return Flag(die, dwarf::DW_AT_external) || Flag(origin, dwarf::DW_AT_external);
}

bool IsClass(dwarf::Tag tag) {
  return tag == dwarf::DW_TAG_structure_type || tag == dwarf::DW_TAG_class_type ||
         tag == dwarf::DW_TAG_union_type;
}

std::string FunctionName(const DWARFDie& die) {
  const char* name = die.getSubroutineName(llvm::DINameKind::LinkageName);
  return name == nullptr ? "" : name;
}

// The function around a static local; "" for everything else.
std::string EnclosingFunction(const DWARFDie& die) {
  for (DWARFDie at = die.getParent(); at; at = at.getParent()) {
    if (at.isSubroutineDIE()) return FunctionName(at);
  }
  return "";
}

class DwarfReader {
 public:
  explicit DwarfReader(const ElfFile& file) : file_(file) {}

  Result<DwarfContents> Read() {
    auto note = [this](llvm::Error error) {
      const std::string line = OneLine(std::move(error));
      if (problem_.empty()) problem_ = line;
    };
    const auto context = llvm::DWARFContext::create(
        file_.object(), llvm::DWARFContext::ProcessDebugRelocations::Ignore, nullptr, "", note,
        [](llvm::Error warning) { llvm::consumeError(std::move(warning)); });
    for (const auto& unit : context->normal_units()) {
      MCR_TRY(ReadUnit(*unit));
    }
    MCR_TRY(CheckComplete(*context));
    const TypeGraph graph = collector_.Finish();
    if (!problem_.empty()) return Broken(problem_);
    auto merged = MergeTypes(graph);
    if (!merged) return Broken(merged.error().Line());
    return Resolve(*std::move(merged));
  }

 private:
  tl::unexpected<Error> Broken(const std::string& why) const {
    return Fail("has corrupt debug information: " + why, file_.path());
  }

  // LLVM ends at the first unit whose header it does not understand, and says nothing.
  Status CheckComplete(llvm::DWARFContext& context) const {
    uint64_t end = 0;
    for (const auto& unit : context.info_section_units()) {
      end = std::max(end, unit->getNextUnitOffset());
    }
    Status complete;
    context.getDWARFObj().forEachInfoSections([&](const llvm::DWARFSection& section) {
      const llvm::StringRef rest = section.Data.substr(end);
      if (rest.find_first_not_of('\0') == llvm::StringRef::npos) return;
      complete = Broken(fmt::format("what follows the unit that ends at {:#x} is none", end));
    });
    return complete;
  }

  Status ReadUnit(llvm::DWARFUnit& unit) {
    if (const Status whole = CheckBounds(unit); !whole) return Broken(whole.error().Line());
    if (llvm::Error error = unit.tryExtractDIEsIfNeeded(/*CUDieOnly=*/false)) {
      return Broken(OneLine(std::move(error)));
    }
    const DWARFDie root = unit.getUnitDIE();
    if (!root) return Broken("a unit without contents");
    if (root.find({dwarf::DW_AT_dwo_name, dwarf::DW_AT_GNU_dwo_name})) {
      return Fail("has its debug information in separate .dwo files", file_.path(),
                  "build without -gsplit-dwarf");
    }
    for (const llvm::DWARFDebugInfoEntry& entry : unit.dies()) ReadEntry(DWARFDie(&unit, &entry));
    return {};
  }

  void ReadEntry(const DWARFDie& die) {
    switch (die.getTag()) {
      case dwarf::DW_TAG_typedef:
        return collector_.NoteTypedef(die);
      case dwarf::DW_TAG_structure_type:
      case dwarf::DW_TAG_class_type:
      case dwarf::DW_TAG_union_type:
      case dwarf::DW_TAG_enumeration_type:
        collector_.NodeOf(die);
        return;
      case dwarf::DW_TAG_variable:
        return ReadVariable(die);
      case dwarf::DW_TAG_subprogram:
        return ReadFunction(die);
      default:
        return;
    }
  }

  void ReadVariable(const DWARFDie& die) {
    // clang's way to tell of a string literal: it is none, and all have the same name.
    if (Name(Origin(die)).empty()) return;
    const auto location = ReadStaticLocation(die);
    if (!location && IsScattered(die)) return ReadScattered(die);
    if (!location) return NoteDeclaration(die);
    const NodeId node = TypeOf(die);
    DwarfVariable found = Describe(die);
    found.variable.thread_local_storage = location->thread_local_storage;
    found.variable.range = *Range<FileAddr>::FromSize(FileAddr(location->address), 0);
    contents_.variables.push_back(std::move(found));
    variable_nodes_.push_back(node);
  }

  void ReadScattered(const DWARFDie& die) {
    auto pieces = ReadStaticPieces(die).value_or(std::vector<VariableInParts::Part>());
    cut_.push_back({Describe(die), TypeOf(die), std::move(pieces)});
  }

  NodeId TypeOf(const DWARFDie& die) {
    const NodeId node = collector_.TypeOf(die);
    return node != 0 ? node : collector_.TypeOf(Origin(die));
  }

  static DwarfVariable Describe(const DWARFDie& die) {
    const DWARFDie origin = Origin(die);
    DwarfVariable found;
    found.external = IsExternal(die, origin);
    found.line = Unsigned(origin, dwarf::DW_AT_decl_line).value_or(0);
    found.variable.name = ScopePrefix(origin) + std::string(Name(origin));
    found.variable.function = EnclosingFunction(die);
    found.variable.unit = UnitName(die);
    return found;
  }

  void NoteDeclaration(const DWARFDie& die) {
    if (!Flag(die, dwarf::DW_AT_external) || !Flag(die, dwarf::DW_AT_declaration)) return;
    const DWARFDie parent = die.getParent();
    if (!parent || parent.isSubroutineDIE() || IsClass(parent.getTag())) return;
    declared_nodes_.try_emplace(ScopePrefix(die) + std::string(Name(die)), collector_.TypeOf(die));
  }

  void ReadFunction(const DWARFDie& die) {
    if (!die.find({dwarf::DW_AT_low_pc, dwarf::DW_AT_ranges})) return;
    auto ranges = die.getAddressRanges();
    if (!ranges) {
      const std::string line = OneLine(ranges.takeError());
      if (problem_.empty()) problem_ = line;
      return;
    }
    const DWARFDie origin = Origin(die);
    DwarfFunction found;
    for (const llvm::DWARFAddressRange& part : *ranges) {
      const auto range = Range<FileAddr>::FromTo(FileAddr(part.LowPC), FileAddr(part.HighPC));
      if (range && !range->empty()) found.ranges.push_back(*range);
    }
    if (found.ranges.empty()) return;
    found.external = IsExternal(die, origin);
    found.function.name = FunctionName(die);
    found.function.range = found.ranges.front();
    found.function.unit = UnitName(die);
    contents_.functions.push_back(std::move(found));
    function_nodes_.push_back(collector_.NodeOf(origin));
  }

  // Gives everything found its merged type, and variables the size that goes with it.
  DwarfContents Resolve(MergedTypes merged) {
    for (size_t i = 0; i < variable_nodes_.size(); ++i) {
      Variable& variable = contents_.variables[i].variable;
      variable.type = merged.ids[variable_nodes_[i]];
      const auto sized =
          Range<FileAddr>::FromSize(variable.range.begin(), merged.types[variable.type].size);
      if (sized) variable.range = *sized;
    }
    for (size_t i = 0; i < contents_.functions.size(); ++i) {
      contents_.functions[i].function.type = merged.ids[function_nodes_[i]];
    }
    for (const auto& [name, node] : declared_nodes_) {
      contents_.declared.emplace(name, merged.ids[node]);
    }
    contents_.types = std::move(merged.types);
    for (const Cut& cut : cut_) ResolveCut(cut, merged.ids[cut.node]);
    return std::move(contents_);
  }

  struct Cut {
    DwarfVariable variable;
    NodeId node;
    std::vector<VariableInParts::Part> pieces;  // none: they are not understood
  };

  void KeepScattered(const Cut& cut, TypeId type) {
    contents_.scattered.push_back(cut.variable);
    contents_.scattered.back().variable.type = type;
  }

  // The type of a byte that stands for two values. Values of an enumeration are carried over by
  // name, so that a byte that would stand for another value is not taken as it is.
  TypeId TypeOf(const TwoValues& values) {
    const auto [known, is_new] = two_values_.try_emplace(values);
    if (!is_new) return known->second;
    Type byte;
    byte.kind = TypeKind::kInteger;
    byte.name = "a byte that stands for two values";
    byte.size = 1;
    Type type;
    type.kind = TypeKind::kEnum;
    type.size = 1;
    type.target = contents_.types.Add(std::move(byte));
    type.enumerators = {{std::to_string(values.first), 0}, {std::to_string(values.second), 1}};
    return known->second = contents_.types.Add(std::move(type));
  }

  // Each piece has to be a member or element of the variable, whole.
  void ResolveCut(const Cut& cut, TypeId type) {
    const TypeTable& types = contents_.types;
    if (cut.pieces.empty()) return KeepScattered(cut, type);
    std::vector<SubObject> all = SubObjectsOf(types, type);
    all.push_back({"", 0, type});
    std::vector<DwarfVariable> parts;
    std::vector<VariableInParts::Part> pieces = cut.pieces;
    for (VariableInParts::Part& piece : pieces) {
      if (piece.size == 0) piece.size = types[type].size;
      const auto part = std::ranges::find_if(all, [&](const SubObject& each) {
        return each.offset == piece.offset && types[each.type].size == piece.size;
      });
      if (part == all.end()) return KeepScattered(cut, type);
      DwarfVariable& found = parts.emplace_back(cut.variable);
      found.variable.name += part->path;
      found.variable.type = piece.two_values ? TypeOf(*piece.two_values) : part->type;
      const auto range = Range<FileAddr>::FromSize(piece.at, piece.two_values ? 1 : piece.size);
      if (!range) return KeepScattered(cut, type);
      found.variable.range = *range;
    }
    contents_.in_parts.push_back({cut.variable, std::move(pieces)});
    contents_.in_parts.back().whole.variable.type = type;
    std::ranges::move(parts, std::back_inserter(contents_.variables));
  }

  const ElfFile& file_;
  std::string problem_;  // the first that LLVM reported
  TypeCollector collector_;
  DwarfContents contents_;
  std::vector<NodeId> variable_nodes_;  // parallel to contents_.variables
  std::vector<Cut> cut_;
  std::map<TwoValues, TypeId> two_values_;
  std::vector<NodeId> function_nodes_;  // parallel to contents_.functions
  std::unordered_map<std::string, NodeId> declared_nodes_;
};

}  // namespace

bool HasDwarf(const ElfFile& file) {
  const ElfFile::SectionHeader* info = file.FindHeader(".debug_info");
  return info != nullptr && !file.BytesOf(*info).empty();
}

Result<DwarfContents> ReadDwarf(const ElfFile& file) {
  // dwz -m moves what several programs have in common to a file of its own, which LLVM does not
  // follow.
  if (file.FindHeader(".gnu_debugaltlink") != nullptr) {
    return Fail("shares its debug information with other programs through dwz", file.path(),
                "use debug information that dwz did not process");
  }
  return DwarfReader(file).Read();
}

}  // namespace mcr::mutator
