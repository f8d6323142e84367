#include "mutator/graph/text_tail.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace mcr::mutator {
namespace {

constexpr size_t kWord = 8;
// Fewer characters are as likely the top bytes of a number: two will do if a count confirms them.
constexpr size_t kShortestCounted = 2;
constexpr size_t kShortestUncounted = 4;

bool IsText(std::byte byte) {
  const auto value = std::to_integer<unsigned>(byte);
  return (value >= 0x20 && value < 0x7f) || value == '\t' || value == '\n' || value == '\r';
}

size_t RunLength(std::span<const std::byte> before) {
  size_t run = 0;
  while (run < before.size() && IsText(before[before.size() - 1 - run])) ++run;
  return run;
}

template <class Count>
std::optional<uint64_t> CountBefore(std::span<const std::byte> before, size_t length) {
  if (before.size() < length + sizeof(Count)) return std::nullopt;
  Count count;
  std::memcpy(&count, before.data() + before.size() - length - sizeof(Count), sizeof count);
  return count;
}

// What a count says of a text that begins `length` bytes before the word: it ends in the word, or
// before it with no more than padding in between.
std::optional<TextEvidence> Judge(std::optional<uint64_t> count, size_t length) {
  if (!count || *count < kShortestCounted) return std::nullopt;
  if (*count <= length && length - *count < kWord) return TextEvidence{TextTail::kEndsBefore};
  if (*count > length && *count - length < kWord) {
    return TextEvidence{TextTail::kCovers, *count - length};
  }
  return std::nullopt;
}

}  // namespace

bool MayGoOnText(std::byte before, std::byte next) {
  // A terminating NUL goes on with a text, too.
  return IsText(before) && (IsText(next) || next == std::byte{0});
}

TextEvidence ExamineText(std::span<const std::byte> before, std::span<const std::byte> word) {
  if (before.empty() || !MayGoOnText(before.back(), word[0])) return {};
  const size_t run = RunLength(before);
  // The longest first: a count may look like a character itself.
  for (size_t length = run; length >= kShortestCounted; --length) {
    for (const auto& count :
         {CountBefore<uint64_t>(before, length), CountBefore<uint32_t>(before, length),
          CountBefore<uint16_t>(before, length), CountBefore<uint8_t>(before, length)}) {
      if (const auto evidence = Judge(count, length)) return *evidence;
    }
  }
  return {run >= kShortestUncounted ? TextTail::kUnknown : TextTail::kNone, 0, run, true};
}

}  // namespace mcr::mutator
