// A state filter whose names and types are known: every place in it has an address as soon as there
// is a process.
#ifndef MCR_MUTATOR_FILTER_BOUND_H_
#define MCR_MUTATOR_FILTER_BOUND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/filter/syntax.h"
#include "mutator/filter/value_type.h"

namespace mcr::mutator {

struct Bound {
  enum class Kind : uint8_t {
    kConstant,
    kText,
    kVariable,
    kFunction,
    kDereference,
    kMember,
    kIndex,
    kUnary,
    kBinary,
    kCompareText,
    kConditional,
    kCast,
    kAddress,
  };
  Kind kind = Kind::kConstant;
  Operator op = Operator::kNone;
  ValueType type;
  bool is_place = false;        // it is in memory, and read to get its value
  size_t module = 0;            // kVariable, kFunction
  FileAddr address;             // kVariable, kFunction
  uint64_t number = 0;          // kConstant; kMember: bytes from the start
  uint32_t bit_offset = 0;      // kMember
  uint32_t bit_size = 0;        // kMember; 0: not a bit-field
  std::string text;             // kText
  std::string source;           // as it was written
  std::vector<Bound> children;  // kCompareText: the place and the text
};

// Looks everything up in the programs; fails for names, fields and types that do not fit, with
// names that are near.
Result<Bound> BindFilter(std::string_view source, const Syntax& syntax,
                         const std::vector<std::shared_ptr<const Program>>& programs);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_BOUND_H_
