// The syntax tree of a state filter, as it was written; nothing in it is known to exist yet.
#ifndef MCR_MUTATOR_FILTER_SYNTAX_H_
#define MCR_MUTATOR_FILTER_SYNTAX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::mutator {

enum class Operator : uint8_t {
  kNone,
  kOr,
  kAnd,
  kBitOr,
  kBitXor,
  kBitAnd,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kShiftLeft,
  kShiftRight,
  kAdd,  // also the sign
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kNot,
  kComplement,
  kDereference,
  kAddress,
};

// The type of a cast: "unsigned int", "struct item", "item_t", and how many "*" follow.
struct TypeName {
  std::string name;
  int pointers = 0;
};

struct Syntax {
  enum class Kind : uint8_t {
    kNumber,
    kText,
    kName,         // `unit` may say which of several: 'src/log.c'::level
    kUnary,        // one child
    kBinary,       // two
    kConditional,  // three
    kMember,       // one, and `text`
    kArrow,        // one, and `text`
    kIndex,        // two
    kCast,         // one, and `type`
  };
  Kind kind = Kind::kNumber;
  Operator op = Operator::kNone;
  uint64_t number = 0;
  bool is_unsigned = false;  // kNumber
  std::string text;
  std::string unit;
  TypeName type;
  size_t begin = 0, end = 0;  // where it is in the source
  std::vector<Syntax> children;
};

// Fails with the column, counted from 1, for whatever is not an expression.
Result<Syntax> ParseFilter(std::string_view source);

// "column 7 of `a && b`".
std::string ColumnOf(std::string_view source, size_t at);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_SYNTAX_H_
