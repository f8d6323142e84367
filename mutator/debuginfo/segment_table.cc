
#include <algorithm>
#include <utility>

#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/llvm_error.h"

namespace mcr::mutator {
namespace {

namespace elf = llvm::ELF;

using ProgramHeader = llvm::object::ELF64LE::Phdr;

bool IsInFile(const ElfFile& file, const ProgramHeader& header) {
  const uint64_t size = file.bytes().size();
  return header.p_offset <= size && header.p_filesz <= size - header.p_offset &&
         header.p_filesz <= header.p_memsz;
}

Result<Range<FileAddr>> MemoryRange(const ElfFile& file, const ProgramHeader& header) {
  const auto range = Range<FileAddr>::FromSize(FileAddr(header.p_vaddr), header.p_memsz);
  if (!range) return Fail("is a corrupt ELF file: a segment wraps around", file.path());
  return *range;
}

Status AddSegment(const ElfFile& file, const ProgramHeader& header, SegmentTable& table) {
  MCR_ASSIGN(const Range<FileAddr> range, MemoryRange(file, header));
  if (!IsInFile(file, header)) return Fail("is a truncated ELF file", file.path());
  table.segments.push_back(Segment{.range = range,
                                   .file_offset = header.p_offset,
                                   .file_size = header.p_filesz,
                                   .readable = (header.p_flags & elf::PF_R) != 0,
                                   .writable = (header.p_flags & elf::PF_W) != 0,
                                   .executable = (header.p_flags & elf::PF_X) != 0});
  return {};
}

}  // namespace

Result<SegmentTable> ReadSegments(const ElfFile& file) {
  auto headers = file.elf().program_headers();
  if (!headers) return FailLlvm("is a corrupt ELF file", headers.takeError(), file.path());
  SegmentTable table;
  for (const ProgramHeader& header : *headers) {
    if (header.p_type == elf::PT_LOAD) {
      MCR_TRY(AddSegment(file, header, table));
    } else if (header.p_type == elf::PT_GNU_RELRO) {
      MCR_ASSIGN(table.relro, MemoryRange(file, header));
    } else if (header.p_type == elf::PT_TLS) {
      if (!IsInFile(file, header)) return Fail("is a truncated ELF file", file.path());
      table.tls_size = header.p_memsz;
      table.tls_image = file.bytes().subspan(header.p_offset, header.p_filesz);
    }
  }
  if (table.segments.empty()) return Fail("is a corrupt ELF file: nothing to load", file.path());
  std::ranges::sort(table.segments, {}, [](const Segment& s) { return s.range.begin(); });
  for (size_t i = 1; i < table.segments.size(); ++i) {
    if (table.segments[i - 1].range.end() > table.segments[i].range.begin()) {
      return Fail("is a corrupt ELF file: segments overlap", file.path());
    }
  }
  return table;
}

std::vector<Section> ReadSections(const ElfFile& file) {
  std::vector<Section> sections;
  for (const ElfFile::SectionHeader* header : file.headers()) {
    if ((header->sh_flags & elf::SHF_ALLOC) == 0) continue;
    const auto range = Range<FileAddr>::FromSize(FileAddr(header->sh_addr), header->sh_size);
    if (!range) continue;
    // .tbss takes no address space: what follows it starts at the same address.
    const bool thread_bss =
        (header->sh_flags & elf::SHF_TLS) != 0 && header->sh_type == elf::SHT_NOBITS;
    sections.push_back(
        Section{.name = std::string(file.NameOf(*header)),
                .range = thread_bss ? *Range<FileAddr>::FromSize(range->begin(), 0) : *range,
                .file_offset = header->sh_offset,
                .writable = (header->sh_flags & elf::SHF_WRITE) != 0,
                .executable = (header->sh_flags & elf::SHF_EXECINSTR) != 0,
                .allocated = true,
                .no_bits = header->sh_type == elf::SHT_NOBITS});
  }
  std::ranges::stable_sort(sections, {}, [](const Section& s) { return s.range; });
  return sections;
}

Result<std::vector<std::string>> ReadNeeded(const ElfFile& file) {
  const ElfFile::SectionHeader* dynamic = file.FindHeader(".dynamic");
  std::vector<std::string> needed;
  if (dynamic == nullptr || dynamic->sh_type != elf::SHT_DYNAMIC) return needed;
  auto entries = file.elf().getSectionContentsAsArray<llvm::object::ELF64LE::Dyn>(*dynamic);
  if (!entries) return FailLlvm("has a corrupt .dynamic", entries.takeError(), file.path());
  auto strings = file.elf().getLinkAsStrtab(*dynamic);
  if (!strings) return FailLlvm("has a corrupt .dynamic", strings.takeError(), file.path());
  for (const auto& entry : *entries) {
    if (entry.getTag() == elf::DT_NULL) break;
    if (entry.getTag() != elf::DT_NEEDED) continue;
    if (entry.getVal() >= strings->size()) return Fail("has a corrupt .dynamic", file.path());
    needed.emplace_back(strings->data() + entry.getVal());  // a string table ends with NUL
  }
  return needed;
}

}  // namespace mcr::mutator
