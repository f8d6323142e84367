#include "mutator/graph/dynamic_symbols.h"

#include <elf.h>

#include <array>
#include <cstdint>
#include <string>

namespace mcr::mutator {
namespace {

constexpr uint64_t kMostEntries = 1 << 20;  // corrupt tables end, too

struct Tables {
  Addr symbols, names, hash;
};

uint32_t GnuHash(std::string_view name) {
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash;
}

// ld.so relocates the addresses in the section when it loads the module.
Addr Relocated(uint64_t value, Addr bias) {
  return value < bias.value() ? bias + value : Addr(value);
}

std::optional<Addr> FindDynamic(const MemoryReader& memory, Addr bias) {
  const auto header = memory.ReadValue<Elf64_Ehdr>(bias);
  if (!header || header->e_phentsize != sizeof(Elf64_Phdr)) return std::nullopt;
  for (uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto entry =
        memory.ReadValue<Elf64_Phdr>(bias + header->e_phoff + i * sizeof(Elf64_Phdr));
    if (entry && entry->p_type == PT_DYNAMIC) return bias + entry->p_vaddr;
  }
  return std::nullopt;
}

std::optional<Tables> FindTables(const MemoryReader& memory, Addr bias) {
  const auto dynamic = FindDynamic(memory, bias);
  if (!dynamic) return std::nullopt;
  Tables tables;
  for (uint64_t i = 0; i < kMostEntries; ++i) {
    const auto entry = memory.ReadValue<Elf64_Dyn>(*dynamic + i * sizeof(Elf64_Dyn));
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_SYMTAB) tables.symbols = Relocated(entry->d_un.d_ptr, bias);
    if (entry->d_tag == DT_STRTAB) tables.names = Relocated(entry->d_un.d_ptr, bias);
    if (entry->d_tag == DT_GNU_HASH) tables.hash = Relocated(entry->d_un.d_ptr, bias);
  }
  if (tables.symbols.IsNull() || tables.names.IsNull() || tables.hash.IsNull()) {
    return std::nullopt;
  }
  return tables;
}

}  // namespace

std::optional<Addr> FindExported(const MemoryReader& memory, const LoadedModule& module,
                                 std::string_view name) {
  const auto tables = FindTables(memory, module.bias);
  if (!tables) return std::nullopt;
  // Number of buckets, index of the first symbol, words of the Bloom filter, its shift.
  const auto header = memory.ReadValue<std::array<uint32_t, 4>>(tables->hash);
  if (!header || (*header)[0] == 0) return std::nullopt;
  const auto [bucket_count, first, filter_words, shift] = *header;
  const uint32_t hash = GnuHash(name);
  const Addr buckets = tables->hash + sizeof *header + uint64_t{filter_words} * 8;
  const Addr chains = buckets + uint64_t{bucket_count} * 4;
  const auto bucket = memory.ReadValue<uint32_t>(buckets + uint64_t{hash % bucket_count} * 4);
  if (!bucket || *bucket < first) return std::nullopt;
  for (uint64_t index = *bucket; index < kMostEntries; ++index) {
    const auto chain = memory.ReadValue<uint32_t>(chains + (index - first) * 4);
    const auto symbol = memory.ReadValue<Elf64_Sym>(tables->symbols + index * sizeof(Elf64_Sym));
    if (!chain || !symbol) return std::nullopt;
    if ((*chain | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF) {
      const auto found = memory.ReadString(tables->names + symbol->st_name);
      if (found && *found == name) return module.bias + symbol->st_value;
    }
    if (*chain & 1) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace mcr::mutator
