#include "mutator/merge/fake_mapping.h"

#include <elf.h>

#include <cstring>

#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {

std::vector<std::byte> FakeElfHeaders() {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr segments[2] = {};
  segments[0].p_type = segments[1].p_type = PT_LOAD;
  segments[0].p_memsz = 0x3000;
  segments[1].p_vaddr = FakeProgram::kData.value();
  segments[1].p_memsz = 0x2000;
  std::vector<std::byte> bytes(sizeof header + sizeof segments);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, segments, sizeof segments);
  return bytes;
}

void MapFakeProgram(checkpoint::FakeImage& image, Addr bias) {
  Mapping code;
  code.range = *Range<Addr>::FromSize(bias, 0x3000);
  code.readable = code.executable = true;
  code.inode = 7;
  code.path = kFakeProgramPath;
  image.Map(code, FakeElfHeaders());
  Mapping data = code;
  data.range = *Range<Addr>::FromSize(bias + 0x3000, 0x2000);
  data.executable = false;
  data.writable = true;
  data.file_offset = 0x3000;
  image.Map(data);
}

}  // namespace mcr::mutator
