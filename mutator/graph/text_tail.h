// Is a likely pointer really the end of a text?
//
// Allocators hand out memory that still holds old pointers. A text written over it may end inside a
// word, and its last characters together with the old pointer's upper bytes make a word that points
// near where the old pointer did. To take that for a pointer would be to write into the text: the
// worst kind of error, since nothing crashes.
#ifndef MCR_MUTATOR_GRAPH_TEXT_TAIL_H_
#define MCR_MUTATOR_GRAPH_TEXT_TAIL_H_

#include <cstddef>
#include <span>

namespace mcr::mutator {

enum class TextTail {
  kNone,        // no text runs up to the word, or the word's first byte would not go on with it
  kEndsBefore,  // a counted text ends just where the word begins: the word is none of it
  kCovers,      // a counted text ends inside the word
  kUnknown,     // a text runs up to the word and may go on in it
};

struct TextEvidence {
  TextTail tail = TextTail::kNone;
  size_t covered = 0;  // kCovers: bytes of the word that belong to the text
  size_t run = 0;      // kUnknown: how many characters run up to the word
  // kUnknown: whether something points to the word or shortly before it. What nothing points to is
  // no object, but memory that was given back, or the middle of a long text.
  bool referenced = true;
};

// Whether a text could run from one byte on to the next: the quick test.
bool MayGoOnText(std::byte before, std::byte next);

// How far back a text is looked for, bytes.
inline constexpr size_t kTextContext = 256;

// `before`: what precedes the word, at most kTextContext bytes; `word`: its 8 bytes. Counted texts
// are recognised by a count of 8 to 64 bits directly before their first character.
TextEvidence ExamineText(std::span<const std::byte> before, std::span<const std::byte> word);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_TEXT_TAIL_H_
