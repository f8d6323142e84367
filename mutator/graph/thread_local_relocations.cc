#include "mutator/graph/thread_local_relocations.h"

#include <elf.h>

#include <algorithm>
#include <span>

namespace mcr::mutator {
namespace {

constexpr uint64_t kMostEntries = 1 << 12;      // of a dynamic section
constexpr uint64_t kMostRelocations = 1 << 22;  // corrupt tables end, too

// ld.so relocates the addresses in the section when it loads the module.
Addr Relocated(uint64_t value, Addr bias) {
  return value < bias.value() ? bias + value : Addr(value);
}

struct Table {
  Addr at;
  uint64_t size = 0;  // bytes
};

void Collect(const MemoryReader& memory, const LoadedModule& module, const Table& table,
             std::vector<ThreadLocalRelocation>& into) {
  const uint64_t count = std::min(table.size / sizeof(Elf64_Rela), kMostRelocations);
  std::vector<Elf64_Rela> entries(count);
  if (!memory.Read(table.at, std::as_writable_bytes(std::span(entries)))) return;
  for (const Elf64_Rela& entry : entries) {
    const auto type = static_cast<uint32_t>(ELF64_R_TYPE(entry.r_info));
    if (type != R_X86_64_TPOFF64 && type != R_X86_64_TLSDESC) continue;
    into.push_back({module.bias + entry.r_offset, type});
  }
}

}  // namespace

std::vector<ThreadLocalRelocation> FindThreadLocalRelocations(const MemoryReader& memory,
                                                              const LoadedModule& module) {
  std::vector<ThreadLocalRelocation> found;
  if (module.dynamic.IsNull()) return found;
  Table relocations, jumps;
  for (uint64_t i = 0; i < kMostEntries; ++i) {
    const auto entry = memory.ReadValue<Elf64_Dyn>(module.dynamic + i * sizeof(Elf64_Dyn));
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_RELA) relocations.at = Relocated(entry->d_un.d_ptr, module.bias);
    if (entry->d_tag == DT_RELASZ) relocations.size = entry->d_un.d_val;
    if (entry->d_tag == DT_JMPREL) jumps.at = Relocated(entry->d_un.d_ptr, module.bias);
    if (entry->d_tag == DT_PLTRELSZ) jumps.size = entry->d_un.d_val;
  }
  Collect(memory, module, relocations, found);
  Collect(memory, module, jumps, found);
  return found;
}

}  // namespace mcr::mutator
