#include "mutator/merge/segment_mappings.h"

#include <sys/mman.h>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;

FileAddr PageDown(FileAddr at) { return FileAddr(at.value() & ~(kPage - 1)); }
FileAddr PageUp(FileAddr at) { return PageDown(at + (kPage - 1)); }

int Protection(const Segment& segment) {
  return (segment.readable ? PROT_READ : 0) | (segment.writable ? PROT_WRITE : 0) |
         (segment.executable ? PROT_EXEC : 0);
}

checkpoint::NewMapping Map(Addr bias, FileAddr begin, FileAddr end, int protection) {
  checkpoint::NewMapping mapping;
  mapping.range = *Range<Addr>::FromTo(bias + begin.value(), bias + end.value());
  mapping.protection = protection;
  return mapping;
}

void AddFilePart(const Program& program, const Segment& segment, Addr bias,
                 std::vector<checkpoint::NewMapping>& into) {
  const FileAddr begin = PageDown(segment.range.begin());
  const FileAddr end = PageUp(segment.range.begin() + segment.file_size);
  const uint64_t offset = segment.file_offset - (segment.range.begin() - begin);
  const auto add = [&](FileAddr from, FileAddr to, int protection) {
    if (!(from < to)) return;
    into.push_back(Map(bias, from, to, protection));
    into.back().file_offset = offset + (from - begin);
  };
  // The loader makes whole pages of RELRO read-only and leaves the rest of the last one writable.
  const FileAddr relro_end = PageDown(program.relro().end());
  const bool has_relro = segment.range.Contains(program.relro().begin()) && begin < relro_end;
  const FileAddr split = has_relro ? relro_end : begin;
  add(begin, split, PROT_READ);
  add(split, end, Protection(segment));
}

}  // namespace

std::vector<checkpoint::NewMapping> SegmentMappings(const Program& program, Addr bias) {
  std::vector<checkpoint::NewMapping> mappings;
  for (const Segment& segment : program.segments()) {
    if (segment.file_size > 0) AddFilePart(program, segment, bias, mappings);
    const FileAddr zeros = segment.file_size > 0 ? PageUp(segment.range.begin() + segment.file_size)
                                                 : PageDown(segment.range.begin());
    const FileAddr end = PageUp(segment.range.end());
    if (!(zeros < end)) continue;
    mappings.push_back(Map(bias, zeros, end, Protection(segment)));
    mappings.back().anonymous = true;
  }
  return mappings;
}

}  // namespace mcr::mutator
