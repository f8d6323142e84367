#include "mutator/debuginfo/symbol_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mutator/debuginfo/llvm_error.h"

namespace mcr::mutator {
namespace {

namespace elf = llvm::ELF;

using ElfSymbol = llvm::object::ELF64LE::Sym;

const ElfFile::SectionHeader* FindTable(const ElfFile& file, uint32_t type) {
  for (const ElfFile::SectionHeader* header : file.headers()) {
    if (header->sh_type == type) return header;
  }
  return nullptr;
}

SymbolKind KindOf(const ElfSymbol& symbol) {
  switch (symbol.getType()) {
    case elf::STT_FUNC:
      return SymbolKind::kFunction;
    case elf::STT_OBJECT:
    case elf::STT_COMMON:
      return SymbolKind::kObject;
    case elf::STT_TLS:
      return SymbolKind::kTls;
    case elf::STT_GNU_IFUNC:
      return SymbolKind::kIndirectFunction;
    default:
      return SymbolKind::kOther;
  }
}

std::string WithoutVersion(llvm::StringRef name) { return name.split('@').first.str(); }

Result<std::vector<Symbol>> ReadTable(const ElfFile& file, const ElfFile::SectionHeader& table) {
  const std::string broken = "has a corrupt " + std::string(file.NameOf(table));
  auto symbols = file.elf().symbols(&table);
  if (!symbols) return FailLlvm(broken, symbols.takeError(), file.path());
  auto strings = file.elf().getStringTableForSymtab(table);
  if (!strings) return FailLlvm(broken, strings.takeError(), file.path());
  std::vector<Symbol> result;
  std::string unit;
  for (const ElfSymbol& symbol : *symbols) {
    auto name = symbol.getName(*strings);
    if (!name) return FailLlvm(broken, name.takeError(), file.path());
    // Local symbols stand under the file symbol that precedes them.
    if (symbol.getType() == elf::STT_FILE) unit = name->str();
    if (symbol.getType() == elf::STT_FILE || symbol.getType() == elf::STT_SECTION) continue;
    if (symbol.st_shndx == elf::SHN_UNDEF || name->empty()) continue;
    const auto range = Range<FileAddr>::FromSize(FileAddr(symbol.st_value), symbol.st_size);
    if (!range) return Fail(broken, file.path());
    const bool local = symbol.getBinding() == elf::STB_LOCAL;
    result.push_back(Symbol{.name = WithoutVersion(*name),
                            .unit = local ? unit : "",
                            .kind = KindOf(symbol),
                            .local = local,
                            .range = *range});
  }
  std::ranges::stable_sort(result, {}, [](const Symbol& s) { return s.range.begin(); });
  return result;
}

}  // namespace

Result<std::vector<Symbol>> ReadSymbols(const ElfFile& program, const ElfFile* debug) {
  if (const auto* table = FindTable(program, elf::SHT_SYMTAB)) return ReadTable(program, *table);
  if (debug != nullptr) {
    if (const auto* table = FindTable(*debug, elf::SHT_SYMTAB)) return ReadTable(*debug, *table);
  }
  if (const auto* table = FindTable(program, elf::SHT_DYNSYM)) return ReadTable(program, *table);
  return std::vector<Symbol>{};
}

}  // namespace mcr::mutator
