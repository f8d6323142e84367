#include "mutator/validate/fake_library.h"

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"

namespace mcr::mutator {
namespace {

constexpr Addr kBegin(0x7f0000000000);
constexpr char kNames[] = "\0__libc_malloc\0__libc_free";
constexpr uint32_t kMalloc = 1, kFree = 15;  // in kNames

uint32_t GnuHash(const char* name) {
  uint32_t hash = 5381;
  for (; *name != '\0'; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
  return hash;
}

// As the linker lays it out; one bucket for all symbols, no Bloom filter.
struct Image {
  Elf64_Ehdr header = {};
  Elf64_Phdr segments[2] = {};
  Elf64_Dyn dynamic[4] = {};
  Elf64_Sym symbols[3] = {};
  uint32_t hash[7] = {};
  char names[sizeof kNames] = {};

  Image() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_phoff = offsetof(Image, segments);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    segments[0].p_type = PT_LOAD;
    segments[0].p_memsz = sizeof(Image);
    segments[1].p_type = PT_DYNAMIC;
    segments[1].p_vaddr = offsetof(Image, dynamic);
    dynamic[0] = {DT_SYMTAB, {offsetof(Image, symbols)}};
    dynamic[1] = {DT_STRTAB, {offsetof(Image, names)}};
    dynamic[2] = {DT_GNU_HASH, {offsetof(Image, hash)}};
    symbols[1].st_name = kMalloc;
    symbols[2].st_name = kFree;
    for (int i = 1; i <= 2; ++i) {
      symbols[i].st_shndx = 1;
      symbols[i].st_value = 0x800 + static_cast<uint64_t>(i) * 0x10;
    }
    std::memcpy(names, kNames, sizeof kNames);
    const uint32_t buckets = 1, first = 1;
    const uint32_t table[] = {buckets,
                              first,
                              0,
                              0,
                              first,
                              GnuHash(names + kMalloc) & ~uint32_t{1},
                              GnuHash(names + kFree) | 1};
    std::memcpy(hash, table, sizeof hash);
  }
};

}  // namespace

void MapLibrary(checkpoint::FakeImage& image) {
  Mapping mapping;
  mapping.range = *Range<Addr>::FromSize(kBegin, 0x1000);
  mapping.readable = mapping.executable = true;
  mapping.inode = 8;
  mapping.path = "/lib/libc.so.6";
  const Image library;
  image.Map(mapping, std::as_bytes(std::span(&library, 1)));
}

}  // namespace mcr::mutator
