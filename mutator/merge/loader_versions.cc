#include "mutator/merge/loader_versions.h"

#include <string_view>

namespace mcr::mutator {
namespace {

constexpr uint64_t kMostVersions = 1 << 12;
constexpr uint64_t kReserved = 2;  // VER_NDX_LOCAL and VER_NDX_GLOBAL have no entry

// `struct r_found_version` (glibc, include/link.h).
struct Entry {
  uint64_t name;
  uint32_t hash;
  int32_t hidden;
  uint64_t filename;
};

// The System V ABI's hash of a symbol name.
uint32_t ElfHash(std::string_view name) {
  uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    const uint32_t high = hash & 0xf0000000;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  return hash;
}

}  // namespace

std::optional<Range<Addr>> FindVersionTable(const MemoryReader& memory, Addr at) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < kMostVersions; ++i) {
    const auto entry = memory.ReadValue<Entry>(at + i * sizeof(Entry));
    if (!entry) break;
    if (entry->name == 0) {
      if (entry->hash != 0 || i >= kReserved) break;
      continue;
    }
    const auto name = memory.ReadString(Addr(entry->name));
    if (!name || name->empty() || ElfHash(*name) != entry->hash) break;
    count = i + 1;
  }
  if (count <= kReserved) return std::nullopt;
  return Range<Addr>::FromSize(at, count * sizeof(Entry));
}

}  // namespace mcr::mutator
