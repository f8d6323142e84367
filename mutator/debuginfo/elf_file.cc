#include "mutator/debuginfo/elf_file.h"

#include <fcntl.h>
#include <llvm/Object/BuildID.h>
#include <llvm/Object/ELF.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "mcr/base/owned_fd.h"
#include "mutator/debuginfo/llvm_error.h"

namespace mcr::mutator {
namespace {

namespace elf = llvm::ELF;

constexpr std::string_view kMagic =
    "\x7f"
    "ELF";
constexpr uint64_t kLargestFile = uint64_t{2} << 30;          // bytes
constexpr uint64_t kLargestDecompressed = uint64_t{1} << 30;  // bytes, of one section

bool IsElf(int file) {
  char magic[kMagic.size()];
  return pread(file, magic, sizeof magic, 0) == sizeof magic &&
         std::memcmp(magic, kMagic.data(), sizeof magic) == 0;
}

Result<std::unique_ptr<llvm::MemoryBuffer>> ReadWholeFile(const std::string& path) {
  // Opening a FIFO would wait for somebody to write to it.
  const OwnedFd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return FailErrno("cannot open", path);
  if (!S_ISREG(status.st_mode)) return Fail("is not a regular file", path);
  if (!IsElf(file.get())) {
    return Fail("is not an ELF file", path, "give the program itself, not a script or a package");
  }
  if (static_cast<uint64_t>(status.st_size) > kLargestFile) return Fail("is too large", path);
  // Volatile: a copy, because a mapping would raise SIGBUS if the file is truncated meanwhile.
  auto buffer = llvm::MemoryBuffer::getOpenFile(
      file.get(), path, static_cast<uint64_t>(status.st_size), /*RequiresNullTerminator=*/false,
      /*IsVolatile=*/true);
  if (!buffer) return Fail("cannot read: " + buffer.getError().message(), path);
  return std::move(*buffer);
}

// A header that claims gigabytes would otherwise be believed and allocated.
bool DecompressesTo(std::span<const std::byte> contents, uint64_t limit) {
  llvm::object::ELF64LE::Chdr header;
  if (contents.size() < sizeof header) return false;
  std::memcpy(&header, contents.data(), sizeof header);
  // Neither zlib nor zstd does much better than a thousandfold on real debug information.
  return header.ch_size <= limit && header.ch_size / 1100 <= contents.size();
}

}  // namespace

Result<std::unique_ptr<ElfFile>> ElfFile::Open(const std::string& path) {
  std::unique_ptr<ElfFile> file(new ElfFile);
  file->path_ = path;
  MCR_ASSIGN(file->buffer_, ReadWholeFile(path));
  MCR_TRY(file->CheckHeader());
  auto object = llvm::object::ELF64LEObjectFile::create(file->buffer_->getMemBufferRef());
  if (!object) return FailLlvm("is a corrupt ELF file", object.takeError(), path);
  file->object_ = std::make_unique<llvm::object::ELF64LEObjectFile>(std::move(*object));
  MCR_TRY(file->CheckSections());
  return file;
}

Status ElfFile::CheckHeader() const {
  const std::span<const std::byte> file = bytes();
  llvm::object::ELF64LE::Ehdr header;
  if (file.size() < sizeof header) return Fail("is a truncated ELF file", path_);
  std::memcpy(&header, file.data(), sizeof header);
  if (header.e_ident[elf::EI_CLASS] != elf::ELFCLASS64 ||
      header.e_ident[elf::EI_DATA] != elf::ELFDATA2LSB || header.e_machine != elf::EM_X86_64) {
    return Fail("is not for x86-64", path_, "give a 64-bit x86 program");
  }
  if (header.e_type != elf::ET_EXEC && header.e_type != elf::ET_DYN) {
    return Fail("is neither a program nor a shared library", path_);
  }
  if (header.e_shoff == 0) return Fail("has no section headers", path_, "use an unmangled file");
  return {};
}

Status ElfFile::CheckSections() {
  auto sections = elf().sections();
  if (!sections) return FailLlvm("is a corrupt ELF file", sections.takeError(), path_);
  for (const SectionHeader& header : *sections) {
    if (header.sh_type == elf::SHT_NULL) continue;
    auto name = elf().getSectionName(header);
    if (!name) return FailLlvm("is a corrupt ELF file", name.takeError(), path_);
    if (header.sh_type != elf::SHT_NOBITS) {
      auto contents = elf().getSectionContents(header);
      if (!contents) return FailLlvm("is a truncated ELF file", contents.takeError(), path_);
    }
    if ((header.sh_flags & elf::SHF_COMPRESSED) != 0 &&
        !DecompressesTo(BytesOf(header), kLargestDecompressed)) {
      return Fail("has a corrupt or huge compressed section " + name->str(), path_);
    }
    headers_.push_back(&header);
  }
  return {};
}

bool ElfFile::position_independent() const { return elf().getHeader().e_type == elf::ET_DYN; }

std::string ElfFile::build_id() const {
  std::string text;
  for (const uint8_t byte : llvm::object::getBuildID(object_.get())) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::span<const std::byte> ElfFile::bytes() const {
  return {reinterpret_cast<const std::byte*>(buffer_->getBufferStart()), buffer_->getBufferSize()};
}

const ElfFile::SectionHeader* ElfFile::FindHeader(std::string_view name) const {
  for (const SectionHeader* header : headers_) {
    if (NameOf(*header) == name) return header;
  }
  return nullptr;
}

std::string_view ElfFile::NameOf(const SectionHeader& header) const {
  return llvm::cantFail(elf().getSectionName(header));  // checked in Open
}

std::span<const std::byte> ElfFile::BytesOf(const SectionHeader& header) const {
  if (header.sh_type == elf::SHT_NOBITS) return {};
  return bytes().subspan(header.sh_offset, header.sh_size);  // checked in Open
}

}  // namespace mcr::mutator
