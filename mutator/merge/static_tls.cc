#include "mutator/merge/static_tls.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "mutator/graph/dynamic_symbols.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kLargestGlobal = 1 << 14;  // bytes; glibc's have less than 8 KiB
// No program has more; what is larger is the loader's way of saying that there is none.
constexpr uint64_t kLargestDistance = 1 << 28;

std::optional<Addr> FindAnywhere(const checkpoint::ProcessImage& image,
                                 const LoadedModules& modules, std::string_view name) {
  for (const LoadedModule& module : modules.all()) {
    if (const auto at = FindExported(image, module, name)) return at;
  }
  return std::nullopt;
}

std::optional<Elf64_Phdr> FindTlsHeader(const checkpoint::ProcessImage& image,
                                        const LoadedModule& module) {
  const auto header = image.ReadValue<Elf64_Ehdr>(module.range.begin());
  if (!header || header->e_phentsize != sizeof(Elf64_Phdr)) return std::nullopt;
  for (uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto entry = image.ReadValue<Elf64_Phdr>(module.range.begin() + header->e_phoff +
                                                   i * sizeof(Elf64_Phdr));
    if (entry && entry->p_type == PT_TLS && entry->p_memsz != 0) return *entry;
  }
  return std::nullopt;
}

// nptl_db's description of a field: its size in bits, how many there are, its offset in bytes.
std::optional<uint64_t> OffsetOf(const checkpoint::ProcessImage& image,
                                 const LoadedModules& modules, std::string_view field_name) {
  const auto at = FindAnywhere(image, modules, field_name);
  if (!at) return std::nullopt;
  const auto field = image.ReadValue<std::array<uint32_t, 3>>(*at);
  if (!field || (*field)[0] != 8 * kWord) return std::nullopt;
  return (*field)[2];
}

// The words of an exported variable of the loader, up to the end of what is mapped.
struct Global {
  Addr at;
  std::vector<uint64_t> words;
};
std::optional<Global> ReadGlobal(const checkpoint::ProcessImage& image,
                                 const LoadedModules& modules, std::string_view name) {
  const auto at = FindAnywhere(image, modules, name);
  if (!at) return std::nullopt;
  Global global{*at, {}};
  for (uint64_t offset = 0; offset < kLargestGlobal; offset += kWord) {
    const auto word = image.ReadValue<uint64_t>(*at + offset);
    if (!word) break;
    global.words.push_back(*word);
  }
  return global;
}

uint64_t RoundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Three words of _rtld_global_ro follow each other: the size of all static storage with the control
// block, its alignment, and what there is for modules that come later (elf/dl-tls.c).
bool IsSize(const Global& global, size_t i, uint64_t used, uint64_t control_block) {
  const uint64_t size = global.words[i], alignment = global.words[i + 1],
                 surplus = global.words[i + 2];
  const bool is_alignment = alignment >= 64 && alignment <= 4096 && std::has_single_bit(alignment);
  return is_alignment && surplus < kLargestDistance &&
         size == RoundUp(used + surplus, alignment) + control_block;
}

}  // namespace

Result<StaticTls> StaticTls::Find(const checkpoint::ProcessImage& image,
                                  const LoadedModules& modules, const LinkMaps& links) {
  StaticTls tls;
  const auto offset = OffsetOf(image, modules, "_thread_db_link_map_l_tls_offset");
  const auto id = OffsetOf(image, modules, "_thread_db_link_map_l_tls_modid");
  for (const LoadedModule& module : modules.all()) {
    const auto header = FindTlsHeader(image, module);
    if (!header) continue;
    const auto map = links.Of(module);
    if (!offset || !id || !map || map->size() < std::max(*offset, *id) + kWord) {
      return Fail("cannot tell where its thread-local variables are", module.path);
    }
    Block block{.module = &module,
                .size = header->p_memsz,
                .alignment = std::max<uint64_t>(header->p_align, 1),
                .distance_slot = map->begin() + *offset};
    MCR_ASSIGN(block.distance, image.ReadValue<uint64_t>(block.distance_slot));
    MCR_ASSIGN(block.id, image.ReadValue<uint64_t>(map->begin() + *id));
    // Loaded later, with storage that is not static.
    if (block.distance == 0 || block.distance > kLargestDistance) continue;
    const auto initial = Range<Addr>::FromSize(module.bias + header->p_vaddr, header->p_filesz);
    if (!initial || block.distance < block.size || header->p_filesz > header->p_memsz) {
      return Fail("its thread-local variables are not where they can be", module.path);
    }
    block.initial = *initial;
    tls.blocks_.push_back(block);
  }
  return tls;
}

const StaticTls::Block* StaticTls::Of(const LoadedModule& module) const {
  const auto found = std::ranges::find_if(
      blocks_, [&](const Block& block) { return block.module->range == module.range; });
  return found == blocks_.end() ? nullptr : &*found;
}

const StaticTls::Block* StaticTls::At(uint64_t distance) const {
  const auto found = std::ranges::find_if(blocks_, [&](const Block& block) {
    return distance <= block.distance && block.distance - distance < block.size;
  });
  return found == blocks_.end() ? nullptr : &*found;
}

uint64_t StaticTls::used() const {
  uint64_t used = 0;
  for (const Block& block : blocks_) used = std::max(used, block.distance);
  return used;
}

Result<StaticTls::Room> StaticTls::FindRoom(const checkpoint::ProcessImage& live,
                                            const LoadedModules& modules, const StaticTls& tls,
                                            const checkpoint::ProcessImage& next,
                                            const LoadedModules& next_modules,
                                            const StaticTls& next_tls) {
  const Error unknown{.what =
                          "cannot tell how much room the dynamic loader has left for "
                          "thread-local variables",
                      .where = "",
                      .advice = "restart the server for this update"};
  const auto size_at = FindAnywhere(live, modules, "_thread_db_sizeof_pthread");
  const auto control_block = size_at ? live.ReadValue<uint32_t>(*size_at) : Result<uint32_t>(0);
  const auto ours = ReadGlobal(live, modules, "_rtld_global");
  const auto theirs = ReadGlobal(next, next_modules, "_rtld_global");
  const auto our_sizes = ReadGlobal(live, modules, "_rtld_global_ro");
  const auto their_sizes = ReadGlobal(next, next_modules, "_rtld_global_ro");
  if (!control_block || *control_block == 0 || !ours || !theirs || !our_sizes || !their_sizes) {
    return tl::make_unexpected(unknown);
  }
  Room room;
  int found_used = 0, found_size = 0;
  for (size_t i = 0; i < std::min(ours->words.size(), theirs->words.size()); ++i) {
    if (ours->words[i] != tls.used() || theirs->words[i] != next_tls.used()) continue;
    room.used_slot = ours->at + i * kWord;
    ++found_used;
  }
  for (size_t i = 0; i + 2 < std::min(our_sizes->words.size(), their_sizes->words.size()); ++i) {
    if (!IsSize(*our_sizes, i, tls.used(), *control_block)) continue;
    if (!IsSize(*their_sizes, i, next_tls.used(), *control_block)) continue;
    room.size = our_sizes->words[i] - *control_block;
    room.alignment = our_sizes->words[i + 1];
    ++found_size;
  }
  if (found_used != 1 || found_size != 1) return tl::make_unexpected(unknown);
  return room;
}

}  // namespace mcr::mutator
