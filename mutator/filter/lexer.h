// The words of a state filter.
#ifndef MCR_MUTATOR_FILTER_LEXER_H_
#define MCR_MUTATOR_FILTER_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::mutator {

struct Token {
  enum class Kind : uint8_t {
    kNumber,  // also characters: 'a'
    kText,    // "text", without quotes and escapes
    kUnit,    // 'src/log.c': more than one character in single quotes
    kName,    // of a variable, function, field or type; may be qualified: ns::x
    kSymbol,  // of one or two characters
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  uint64_t number = 0;
  bool is_unsigned = false;
  size_t begin = 0, end = 0;  // in the source
};

// The last token is kEnd.
Result<std::vector<Token>> LexFilter(std::string_view source);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_LEXER_H_
