#include "mutator/merge/loader_versions.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mcr::mutator {
namespace {

constexpr size_t kMostVersions = 1 << 12;
constexpr size_t kAtOnce = 16;   // entries that are read
constexpr size_t kReserved = 2;  // VER_NDX_LOCAL and VER_NDX_GLOBAL have no entry

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

bool HasItsHash(const MemoryReader& memory, const VersionEntry& entry) {
  const auto name = memory.ReadString(Addr(entry.name));
  return name && !name->empty() && ElfHash(*name) == entry.hash;
}

}  // namespace

// Two of the hashes are checked: reading all names would take its time in every pause.
std::optional<VersionTable> FindVersionTable(const MemoryReader& memory, Addr at,
                                             const Range<Addr>& module) {
  VersionTable table{at, {}};
  while (table.entries.size() < kMostVersions) {
    const auto next = memory.ReadValue<std::array<VersionEntry, kAtOnce>>(
        at + table.entries.size() * sizeof(VersionEntry));
    if (!next) break;
    const auto end = std::ranges::find_if(*next, [&](const VersionEntry& entry) {
      const size_t index = table.entries.size() + static_cast<size_t>(&entry - next->data());
      const bool reserved = index < kReserved && entry.name == 0 && entry.hash == 0;
      const bool has_file = entry.file == 0 || module.Contains(Addr(entry.file));
      return !reserved && (!has_file || !module.Contains(Addr(entry.name)));
    });
    table.entries.insert(table.entries.end(), next->begin(), end);
    if (end != next->end()) break;
  }
  while (table.entries.size() > kReserved && !HasItsHash(memory, table.entries.back())) {
    table.entries.pop_back();
  }
  if (table.entries.size() <= kReserved || !HasItsHash(memory, table.entries[kReserved])) {
    return std::nullopt;
  }
  return table;
}

bool SameVersions(const VersionTable& one, const VersionTable& other) {
  return std::ranges::equal(
      one.entries, other.entries, [](const VersionEntry& a, const VersionEntry& b) {
        return a.hash == b.hash && a.hidden == b.hidden && (a.name == 0) == (b.name == 0);
      });
}

}  // namespace mcr::mutator
