// One ELF file in memory: headers checked, contents by address (elf(5)).
//
// Hostile files are expected: everything is bounds-checked by LLVM's ELFFile or here.
#ifndef MCR_MUTATOR_DEBUGINFO_ELF_FILE_H_
#define MCR_MUTATOR_DEBUGINFO_ELF_FILE_H_

#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

class ElfFile {
 public:
  using Elf = llvm::object::ELFFile<llvm::object::ELF64LE>;
  using SectionHeader = llvm::object::ELF64LE::Shdr;

  // Fails unless `path` is a regular, complete x86-64 executable, shared object or debug file.
  static Result<std::unique_ptr<ElfFile>> Open(const std::string& path);

  const std::string& path() const { return path_; }
  bool position_independent() const;
  std::string build_id() const;  // hexadecimal
  std::span<const std::byte> bytes() const;

  const llvm::object::ELF64LEObjectFile& object() const { return *object_; }
  const Elf& elf() const { return object_->getELFFile(); }

  // nullptr if there is none of that name; its bytes lie within the file unless it is SHT_NOBITS.
  const SectionHeader* FindHeader(std::string_view name) const;
  const std::vector<const SectionHeader*>& headers() const { return headers_; }
  std::string_view NameOf(const SectionHeader& header) const;
  std::span<const std::byte> BytesOf(const SectionHeader& header) const;  // empty for SHT_NOBITS

 private:
  ElfFile() = default;

  Status CheckHeader() const;
  Status CheckSections();

  std::string path_;
  std::unique_ptr<llvm::MemoryBuffer> buffer_;
  std::unique_ptr<llvm::object::ELF64LEObjectFile> object_;
  std::vector<const SectionHeader*> headers_;  // all but the null one
};

// What the program headers say. Fails for a file whose segments are not all there.
struct SegmentTable {
  std::vector<Segment> segments;  // by address
  Range<FileAddr> relro;
  uint64_t tls_size = 0;                 // bytes
  std::span<const std::byte> tls_image;  // into the file
};
Result<SegmentTable> ReadSegments(const ElfFile& file);

std::vector<Section> ReadSections(const ElfFile& file);            // allocated ones, by address
Result<std::vector<std::string>> ReadNeeded(const ElfFile& file);  // DT_NEEDED

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_ELF_FILE_H_
