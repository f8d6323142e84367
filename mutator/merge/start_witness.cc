#include "mutator/merge/start_witness.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/merge/image_map.h"

namespace mcr::mutator {
namespace {

constexpr size_t kWord = sizeof(uint64_t);

// A text, and the word that it runs up to.
class Place {
 public:
  static std::optional<Place> Read(const checkpoint::ProcessImage& image, Range<Addr> text) {
    Place place;
    place.bytes_.resize(text.size() + kWord);
    if (!image.Read(text.begin(), place.bytes_)) return std::nullopt;
    return place;
  }

  std::span<const std::byte> text() const { return std::span(bytes_).first(bytes_.size() - kWord); }
  std::span<const std::byte> word_bytes() const { return std::span(bytes_).last(kWord); }
  uint64_t word() const {
    uint64_t word;
    std::memcpy(&word, word_bytes().data(), kWord);
    return word;
  }

 private:
  std::vector<std::byte> bytes_;
};

bool SameCharacters(const Place& ours, const Place& theirs) {
  return std::ranges::equal(ours.text(), theirs.text()) &&
         std::ranges::equal(ours.word_bytes().first(2), theirs.word_bytes().first(2));
}

// Files are whole pages apart, so that a pointer's first byte is the same in all starts: it may be
// a character with an old pointer's other bytes behind it, which names the same in all of them.
TextTail Compare(const Place& ours, const Place& theirs, ImageMap::Word their_word,
                 uint64_t target) {
  if (their_word.kind == ImageMap::Kind::kValue) return TextTail::kUnknown;
  if (their_word.value != target) {
    return SameCharacters(ours, theirs) ? TextTail::kCovers : TextTail::kUnknown;
  }
  const TextTail tail = ExamineText(theirs.text(), theirs.word_bytes()).tail;
  const bool has_no_text = tail == TextTail::kNone || tail == TextTail::kEndsBefore;
  return has_no_text ? TextTail::kNone : TextTail::kUnknown;
}

}  // namespace

TextTail AskStarts(const Base& base, const checkpoint::ProcessImage& live,
                   const LikelyPointer& pointer, Range<Addr> text) {
  const auto ours = Place::Read(live, text);
  if (!ours || pointer.mangled) return TextTail::kUnknown;
  for (const OldStart* start : {&base.start, &base.again}) {
    for (const uint64_t shift : start->shifts) {
      const auto there = Range<Addr>::FromSize(Addr(text.begin().value() - shift), text.size());
      const auto theirs = there ? Place::Read(*start->image, *there) : std::nullopt;
      if (!theirs) continue;
      const TextTail tail =
          Compare(*ours, *theirs, start->to_live.Translate(theirs->word()), pointer.target);
      if (tail != TextTail::kUnknown) return tail;
    }
  }
  return TextTail::kUnknown;
}

}  // namespace mcr::mutator
