#include "mutator/debuginfo/referent.h"

#include <algorithm>
#include <string_view>

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;             // bytes
constexpr uint64_t kFarthestBefore = 64;  // bytes
constexpr int kLongestStub = 4;           // instructions of an entry of the PLT

std::string Quoted(std::string_view kind, const std::string& name, uint64_t offset) {
  std::string text = std::string(kind) + " `" + name + "`";
  if (offset != 0) text += "+" + Hex(offset);
  return text;
}

std::string InHexadecimal(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

// Constants that the compiler made (CSWTCH.7) have names that any change renumbers.
bool IsGenerated(const Program& program, const Variable& variable) {
  const FileAddr at = variable.range.begin();
  const bool constant = !program.FindSection(at)->writable || program.relro().Contains(at);
  const size_t dot = variable.name.rfind('.');
  return constant && variable.type == 0 && !variable.unit.empty() && dot != std::string::npos &&
         variable.name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
}

}  // namespace

std::optional<std::string> ReferentNamer::Name(const Instruction& instruction) const {
  const FileAddr at = instruction.target;
  const Section* section = program_.FindSection(at);
  if (section == nullptr) return NameSymbol(at);
  if (section->executable) return NameCode(at);
  return NameData(at, instruction);
}

// A place within another function is named by its ordinal: lengths of jumps may differ.
std::optional<std::string> ReferentNamer::NameCode(FileAddr at) const {
  const Function* function = program_.FindFunction(at);
  if (function == nullptr) return NameImport(at);
  if (at == function->range.begin()) return Quoted("function", function->Key(), 0);
  const auto code = program_.Contents(function->range.begin());
  if (code.size() < function->range.size()) return std::nullopt;
  const auto instructions =
      disassembler_.DecodeAll(code.first(function->range.size()), function->range.begin());
  if (!instructions) return std::nullopt;
  uint64_t ordinal = 0;
  for (const Instruction& each : *instructions) {
    if (each.at >= at) break;
    if (!each.is_padding) ++ordinal;
  }
  return Quoted("function", function->Key(), 0) + " instruction " + std::to_string(ordinal);
}

// An entry of the PLT jumps to where a slot of the GOT says.
std::optional<std::string> ReferentNamer::NameImport(FileAddr entry) const {
  FileAddr at = entry;
  for (int i = 0; i < kLongestStub; ++i) {
    const auto instruction = disassembler_.Decode(program_.Contents(at), at);
    if (!instruction) return std::nullopt;
    if (instruction->reference == Reference::kMemory) return NameSlot(instruction->target, 0);
    if (instruction->reference != Reference::kNone) return std::nullopt;
    at = instruction->end();
  }
  return std::nullopt;
}

std::optional<std::string> ReferentNamer::NameData(FileAddr at,
                                                   const Instruction& instruction) const {
  if (const Variable* variable = program_.FindVariable(at)) {
    if (!IsGenerated(program_, *variable)) return NameVariable(*variable, at);
    const auto contents = NameContents(variable->range.begin(), variable->range.size());
    if (!contents) return std::nullopt;
    return *contents + "+" + Hex(at - variable->range.begin());
  }
  if (auto import = NameImportSlot(at)) return import;
  if (auto symbol = NameSymbol(at)) return symbol;
  if (program_.FindSection(at)->name.starts_with(".got")) return NameSlot(at, 0);
  return instruction.reference == Reference::kMemory
             ? NameContents(
                   at, disassembler_.AccessSize(program_.Contents(instruction.at), instruction.at))
             : NamePlace(at);
}

// Where a loop over an array ends, or an array whose indices start above 0 would begin; else a
// literal, whose text does not count: a new one (a version, a build's configuration) changes what
// the function says, not where it keeps things.
std::optional<std::string> ReferentNamer::NamePlace(FileAddr at) const {
  if (const Variable* variable = program_.FindVariable(at - 1)) return NameVariable(*variable, at);
  for (uint64_t before = 1; before <= kFarthestBefore; ++before) {
    const Variable* variable = program_.FindVariable(at + before);
    if (variable != nullptr) return Quoted("before variable", variable->Key(), before);
  }
  if (program_.Contents(at).empty()) return std::nullopt;
  return "a literal";
}

// Bytes, and what the dynamic linker puts into them.
std::optional<std::string> ReferentNamer::NameContents(FileAddr at, uint64_t size) const {
  const Section* section = program_.FindSection(at);
  const auto bytes = program_.Contents(at);
  if (size == 0 || size > bytes.size() || size > section->range.end() - at) return std::nullopt;
  std::string text = "constant ";
  for (uint64_t i = 0; i < size;) {
    const auto slot = size - i >= kWord ? NameSlot(at + i, 0) : std::nullopt;
    text += slot ? "[" + *slot + "]" : InHexadecimal(bytes.subspan(i, 1));
    i += slot ? kWord : 1;
  }
  return text;
}

std::string ReferentNamer::NameVariable(const Variable& variable, FileAddr at) const {
  return Quoted("variable", variable.Key(), at - variable.range.begin());
}

const Relocation* ReferentNamer::FindRelocation(FileAddr at) const {
  const auto& relocations = program_.relocations();
  const auto found = std::ranges::lower_bound(relocations, at, {}, &Relocation::at);
  return found == relocations.end() || found->at != at ? nullptr : &*found;
}

// Lazily bound or at once (JUMP_SLOT, GLOB_DAT): the same thing.
std::optional<std::string> ReferentNamer::NameImportSlot(FileAddr at) const {
  const Relocation* found = FindRelocation(at);
  if (found == nullptr || found->symbol.empty()) return std::nullopt;
  return Quoted("import", found->symbol, found->addend.value());
}

// A word that the dynamic linker fills in means what its relocation says.
std::optional<std::string> ReferentNamer::NameSlot(FileAddr at, int depth) const {
  const Relocation* found = FindRelocation(at);
  if (found == nullptr || depth > 1) return std::nullopt;
  if (!found->symbol.empty()) return NameImportSlot(at);
  const FileAddr value = found->addend;
  if (const Function* function = program_.FindFunction(value)) {
    return Quoted("slot of function", function->Key(), value - function->range.begin());
  }
  if (const Variable* variable = program_.FindVariable(value)) {
    return "slot of " + NameVariable(*variable, value);
  }
  if (const auto slot = NameSlot(value, depth + 1)) return "slot of " + *slot;
  const Section* section = program_.FindSection(value);
  if (section != nullptr && !section->writable) return "slot of a literal";
  return "slot of type " + std::to_string(found->type) + "+" + Hex(value);
}

std::optional<std::string> ReferentNamer::NameSymbol(FileAddr at) const {
  const auto& symbols = program_.symbols();
  auto found = std::ranges::lower_bound(symbols, at, {},
                                        [](const Symbol& symbol) { return symbol.range.begin(); });
  std::optional<std::string> first;
  for (; found != symbols.end() && found->range.begin() == at; ++found) {
    if (found->kind == SymbolKind::kTls) continue;
    if (!first || found->name < *first) first = found->name;
  }
  if (!first) return std::nullopt;
  return Quoted("symbol", *first, 0);
}

}  // namespace mcr::mutator
