#include "mutator/graph/text_tail.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace mcr::mutator {
namespace {

using namespace std::string_view_literals;

// The last 8 bytes of `memory` are the word.
TextEvidence Examine(std::string_view memory) {
  const auto bytes = std::as_bytes(std::span(memory));
  return ExamineText(bytes.first(bytes.size() - 8), bytes.last(8));
}

TEST(ExamineText, CountedTextThatEndsInsideTheWordCoversPartOfIt) {
  const auto found = Examine(
      "\0\0\x10\0www-authentica"
      "te\xdc\x59\x87\x55\0\0"sv);
  EXPECT_EQ(found.tail, TextTail::kCovers);
  EXPECT_EQ(found.covered, 2u);
}

TEST(ExamineText, CountedTextThatEndsBeforeTheWordIsNoneOfIt) {
  const auto found = Examine("\x06\0expect\x60S\xdc\x59\x87\x55\0\0"sv);
  EXPECT_EQ(found.tail, TextTail::kEndsBefore);
  EXPECT_EQ(Examine("\0\x06/echo/\x20\xad\xf2\xa2\x78\x55\0\0"sv).tail, TextTail::kEndsBefore);
}

TEST(ExamineText, PaddingMayStandBetweenACountedTextAndTheWord) {
  const auto found = Examine("\x04\0etagptPs\xdc\x59\x87\x55\0\0"sv);
  EXPECT_EQ(found.tail, TextTail::kEndsBefore);
}

TEST(ExamineText, NumberWhoseTopBytesLookLikeCharactersIsNoText) {
  EXPECT_EQ(Examine("\x0e\x60\xd4\x2e\x0e\x8d\x36\x24\x20Q\xdc\x59\x87\x55\0\0"sv).tail,
            TextTail::kNone);
}

TEST(ExamineText, TextWithoutCountMayGoOn) {
  EXPECT_EQ(Examine("\0\0Host: exampl\x65\x12\xdc\x59\x87\x55\0\0"sv).tail, TextTail::kUnknown);
  // A terminating NUL over the lowest byte of an old pointer.
  EXPECT_EQ(Examine("\0\0\0\0\0example\0\x12\xdc\x59\x87\x55\0\0"sv).tail, TextTail::kUnknown);
}

TEST(ExamineText, PointerAfterPointersOrNumbersIsNoText) {
  EXPECT_EQ(Examine("\x40\x90\xcf\x59\x87\x55\0\0\x70\x90\xcf\x59\x87\x55\0\0"sv).tail,
            TextTail::kNone);
  EXPECT_EQ(Examine("\0\0\0\0\0\0\0A\x70\x90\xcf\x59\x87\x55\0\0"sv).tail, TextTail::kNone);
}

TEST(ExamineText, WordWhoseFirstByteIsNoTextIsNone) {
  EXPECT_EQ(Examine("\0\0Host: ex\x90\x12\xdc\x59\x87\x55\0\0"sv).tail, TextTail::kNone);
}

}  // namespace
}  // namespace mcr::mutator
