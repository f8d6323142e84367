#include "mutator/graph/loaded_modules.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kMostHeaders = 64;    // program headers; more is not a file that a loader loads
constexpr size_t kLargestNote = 4096;  // bytes

uint64_t PageDown(uint64_t value) { return value & ~(kPage - 1); }
uint64_t PageUp(uint64_t value) { return PageDown(value + kPage - 1); }

std::string BuildIdIn(std::span<const std::byte> notes) {
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data() + at, sizeof header);
    const size_t name = at + sizeof header;
    const size_t contents = name + ((size_t{header.n_namesz} + 3) & ~size_t{3});
    const size_t end = contents + header.n_descsz;
    if (end > notes.size()) return "";
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4) {
      std::string text;
      for (std::byte byte : notes.subspan(contents, header.n_descsz)) {
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
      }
      return text;
    }
    at = (end + 3) & ~size_t{3};
  }
  return "";
}

std::string ReadBuildId(const checkpoint::ProcessImage& image, Addr bias, const Elf64_Phdr& note) {
  std::vector<std::byte> bytes(std::min<size_t>(note.p_memsz, kLargestNote));
  if (!image.Read(bias + note.p_vaddr, bytes)) return "";
  return BuildIdIn(bytes);
}

std::optional<LoadedModule> ReadModule(const checkpoint::ProcessImage& image,
                                       const Mapping& first) {
  const auto header = image.ReadValue<Elf64_Ehdr>(first.range.begin());
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > kMostHeaders) {
    return std::nullopt;
  }
  std::vector<Elf64_Phdr> segments(header->e_phnum);
  if (!image.Read(first.range.begin() + header->e_phoff,
                  std::as_writable_bytes(std::span(segments)))) {
    return std::nullopt;
  }
  uint64_t low = UINT64_MAX, high = 0;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_LOAD) continue;
    low = std::min(low, PageDown(segment.p_vaddr));
    high = std::max(high, PageUp(segment.p_vaddr + segment.p_memsz));
  }
  if (low > high || first.range.begin().value() < low) return std::nullopt;
  const auto range = Range<Addr>::FromSize(first.range.begin(), high - low);
  if (!range) return std::nullopt;
  LoadedModule module{first.path, first.range.begin() - low, *range, "", Addr()};
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_DYNAMIC) module.dynamic = module.bias + segment.p_vaddr;
    if (segment.p_type != PT_NOTE || !module.build_id.empty()) continue;
    module.build_id = ReadBuildId(image, module.bias, segment);
  }
  return module;
}

}  // namespace

LoadedModules LoadedModules::Find(const checkpoint::ProcessImage& image) {
  LoadedModules result;
  for (const Mapping& mapping : image.mappings()) {
    const bool may_be_elf = mapping.IsFile() || mapping.path == "[vdso]";
    if (!may_be_elf || mapping.file_offset != 0 || !mapping.readable) continue;
    if (result.At(mapping.range.begin()) != nullptr) continue;
    if (auto module = ReadModule(image, mapping)) result.modules_.push_back(*std::move(module));
  }
  return result;
}

const LoadedModule* LoadedModules::At(Addr address) const {
  auto after = std::ranges::upper_bound(
      modules_, address, {}, [](const LoadedModule& module) { return module.range.begin(); });
  if (after == modules_.begin()) return nullptr;
  const LoadedModule& candidate = *std::prev(after);
  return candidate.range.Contains(address) ? &candidate : nullptr;
}

const LoadedModule* LoadedModules::ByPath(std::string_view path) const {
  auto found = std::ranges::find(modules_, path, &LoadedModule::path);
  return found == modules_.end() ? nullptr : &*found;
}

}  // namespace mcr::mutator
