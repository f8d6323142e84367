
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "mutator/debuginfo/llvm_error.h"
#include "mutator/debuginfo/symbol_table.h"

namespace mcr::mutator {
namespace {

namespace elf = llvm::ELF;

using SectionHeader = ElfFile::SectionHeader;
using ElfRela = llvm::object::ELF64LE::Rela;

Status AddRela(const ElfFile& file, const SectionHeader& section, std::vector<Relocation>& into) {
  const std::string broken = "has a corrupt " + std::string(file.NameOf(section));
  auto entries = file.elf().relas(section);
  if (!entries) return FailLlvm(broken, entries.takeError(), file.path());
  auto table = file.elf().getSection(section.sh_link);
  if (!table) return FailLlvm(broken, table.takeError(), file.path());
  const bool has_symbols = (*table)->sh_type == elf::SHT_DYNSYM;
  llvm::StringRef strings;
  if (has_symbols) {
    auto found = file.elf().getStringTableForSymtab(**table);
    if (!found) return FailLlvm(broken, found.takeError(), file.path());
    strings = *found;
  }
  for (const ElfRela& entry : *entries) {
    Relocation relocation{.at = FileAddr(entry.r_offset),
                          .type = entry.getType(/*isMips64EL=*/false),
                          .symbol = "",
                          .addend = FileAddr(entry.r_addend)};
    if (has_symbols && entry.getSymbol(/*isMips64EL=*/false) != 0) {
      auto symbol = file.elf().getRelocationSymbol(entry, *table);
      if (!symbol) return FailLlvm(broken, symbol.takeError(), file.path());
      auto name = (*symbol)->getName(strings);
      if (!name) return FailLlvm(broken, name.takeError(), file.path());
      relocation.symbol = name->split('@').first.str();
    }
    into.push_back(std::move(relocation));
  }
  return {};
}

// The word at a loaded address, as the file has it.
std::optional<uint64_t> WordAt(const SegmentTable& table, const ElfFile& file, uint64_t at) {
  for (const Segment& segment : table.segments) {
    if (!segment.range.Contains(FileAddr(at))) continue;
    const uint64_t offset = FileAddr(at) - segment.range.begin();
    uint64_t word;
    if (offset > segment.file_size || segment.file_size - offset < sizeof word) break;
    std::memcpy(&word, file.bytes().data() + segment.file_offset + offset, sizeof word);
    return word;
  }
  return std::nullopt;
}

// RELR keeps the addend of a relative relocation in the relocated word.
Status AddRelr(const ElfFile& file, const SectionHeader& section, std::vector<Relocation>& into) {
  const std::string broken = "has a corrupt " + std::string(file.NameOf(section));
  auto entries = file.elf().relrs(section);
  if (!entries) return FailLlvm(broken, entries.takeError(), file.path());
  MCR_ASSIGN(const SegmentTable table, ReadSegments(file));
  for (const auto& entry : file.elf().decode_relrs(*entries)) {
    const std::optional<uint64_t> word = WordAt(table, file, entry.r_offset);
    if (!word) return Fail(broken, file.path());
    into.push_back(Relocation{.at = FileAddr(entry.r_offset),
                              .type = elf::R_X86_64_RELATIVE,
                              .symbol = "",
                              .addend = FileAddr(*word)});
  }
  return {};
}

}  // namespace

Result<std::vector<Relocation>> ReadRelocations(const ElfFile& program) {
  std::vector<Relocation> relocations;
  for (const SectionHeader* section : program.headers()) {
    if ((section->sh_flags & elf::SHF_ALLOC) == 0) continue;
    if (section->sh_type == elf::SHT_RELA) MCR_TRY(AddRela(program, *section, relocations));
    if (section->sh_type == elf::SHT_RELR) MCR_TRY(AddRelr(program, *section, relocations));
  }
  std::ranges::stable_sort(relocations, {}, &Relocation::at);
  return relocations;
}

}  // namespace mcr::mutator
