#include "mutator/merge/rehearsed_image.h"

#include <cstring>
#include <utility>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kWord = sizeof(uint64_t);

Range<FileAddr> Pages(Range<FileAddr> range) {
  const FileAddr begin(range.begin().value() & ~(kPage - 1));
  const FileAddr end((range.end().value() + kPage - 1) & ~(kPage - 1));
  return *Range<FileAddr>::FromTo(begin, end);
}

void Translate(const ImageMap& to_live, RehearsedPart& part) {
  for (size_t at = 0; at < part.bytes.size(); at += kWord) {
    uint64_t word;
    std::memcpy(&word, part.bytes.data() + at, kWord);
    if (word < kPage) continue;
    const ImageMap::Word translated = to_live.Translate(word);
    if (translated.kind == ImageMap::Kind::kForeign) {
      part.foreign.insert(part.range.begin() + at);
    } else if (translated.value != word) {
      std::memcpy(part.bytes.data() + at, &translated.value, kWord);
    }
  }
}

}  // namespace

Result<std::vector<RehearsedPart>> ReadRehearsed(const Program& program,
                                                 const checkpoint::ProcessImage& image, Addr bias,
                                                 const ImageMap& to_live) {
  std::vector<RehearsedPart> parts;
  for (const Segment& segment : program.segments()) {
    if (!segment.writable) continue;
    RehearsedPart part{&segment, Pages(segment.range), {}, {}};
    part.bytes.resize(part.range.size());
    MCR_TRY(image.Read(bias + part.range.begin().value(), part.bytes));
    Translate(to_live, part);
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace mcr::mutator
