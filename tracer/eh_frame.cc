#include "tracer/eh_frame.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace mcr::tracer {
namespace {

// Encodings of DWARF pointers (Linux Standard Base Core, 10.5.1).
constexpr uint8_t kPcRelativeSigned4 = 0x1b;
constexpr uint8_t kUnsigned4 = 0x03;
constexpr uint8_t kDataRelativeSigned4 = 0x3b;

struct TableHeader {
  uint8_t version;
  uint8_t frame_encoding;
  uint8_t count_encoding;
  uint8_t table_encoding;
  int32_t frame;
  uint32_t count;
};

constexpr uint16_t kMostProgramHeaders = 256;

bool SameFile(const Mapping& a, const Mapping& b) {
  return a.device == b.device && a.inode == b.inode && a.path == b.path;
}

Result<std::vector<Elf64_Phdr>> ReadProgramHeaders(Addr base, const MemoryReader& memory) {
  MCR_ASSIGN(const auto header, memory.ReadValue<Elf64_Ehdr>(base));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMostProgramHeaders) {
    return Fail("no ELF header", Hex(base));
  }
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  MCR_TRY(memory.Read(base + header.e_phoff, std::as_writable_bytes(std::span(headers))));
  return headers;
}

struct FirstMapping {
  Addr base;
  std::vector<Elf64_Phdr> headers;
};

// Whether the segment with the lowest address may be what is mapped there.
bool IsLowestSegment(const Mapping& mapping, const std::vector<Elf64_Phdr>& headers) {
  const Elf64_Phdr* lowest = nullptr;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_LOAD) continue;
    if (lowest == nullptr || header.p_vaddr < lowest->p_vaddr) lowest = &header;
  }
  return lowest != nullptr && ((lowest->p_flags & PF_X) != 0) == mapping.executable;
}

// The mapping that begins with the ELF header of the file that `mapping` maps: the nearest one
// below with offset 0, or one farther down, because in a small file several segments begin on the
// page with the header.
Result<FirstMapping> FindFirst(const Mappings& mappings, const Mapping& mapping,
                               const MemoryReader& memory) {
  const size_t index = static_cast<size_t>(&mapping - mappings.data());
  for (size_t i = index + 1; i-- > 0;) {
    if (mappings[i].file_offset == 0 && SameFile(mappings[i], mapping)) {
      auto headers = ReadProgramHeaders(mappings[i].range.begin(), memory);
      if (headers && IsLowestSegment(mappings[i], *headers)) {
        return FirstMapping{mappings[i].range.begin(), std::move(*headers)};
      }
    }
    if (!mapping.IsFile()) break;
  }
  return Fail("code that belongs to no ELF file", Hex(mapping.range.begin()));
}

Status ReadTable(Addr header_address, const MemoryReader& memory, UnwindTable& table) {
  MCR_ASSIGN(const auto header, memory.ReadValue<TableHeader>(header_address));
  if (header.version != 1 || header.frame_encoding != kPcRelativeSigned4 ||
      header.count_encoding != kUnsigned4 || header.table_encoding != kDataRelativeSigned4) {
    return Fail("an unwind table of unknown format", Hex(header_address));
  }
  table.header = header_address;
  table.entries = header_address + sizeof header;
  table.entry_count = header.count;
  return {};
}

}  // namespace

Result<UnwindTable> FindUnwindTable(Addr code, const MemoryReader& memory,
                                    const Mappings& mappings) {
  const Mapping* mapping = FindMapping(mappings, code);
  if (mapping == nullptr || !mapping->executable) return Fail("no code is mapped", Hex(code));
  MCR_ASSIGN(const FirstMapping first, FindFirst(mappings, *mapping, memory));
  const auto& [base, headers] = first;

  // The lowest segment is the one that is mapped at offset 0.
  uint64_t low = ~uint64_t{0}, high = 0;
  std::optional<uint64_t> table_at;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type == PT_GNU_EH_FRAME) table_at = header.p_vaddr;
    if (header.p_type != PT_LOAD) continue;
    low = std::min(low, header.p_vaddr);
    high = std::max(high, header.p_vaddr + header.p_memsz);
  }
  if (!table_at || low > high) return Fail("a module without unwind table", Hex(code));
  const uint64_t bias = base.value() - (low & ~uint64_t{4095});
  const auto module = Range<Addr>::FromTo(base, Addr(bias + high));
  if (!module) return Fail("program headers that make no sense", Hex(base));
  UnwindTable table;
  table.module = *module;
  MCR_TRY(ReadTable(Addr(bias + *table_at), memory, table));
  return table;
}

}  // namespace mcr::tracer
