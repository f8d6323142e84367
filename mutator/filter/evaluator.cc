#include "mutator/filter/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <cstring>
#include <limits>

namespace mcr::mutator {
namespace {

using Shape = ValueType::Kind;
using Kind = Bound::Kind;

constexpr uint64_t kLongestText = 4096;

// Of up to 64 bits. Comparing looks at what the number is, not at how C converts it.
struct Number {
  uint64_t bits = 0;
  bool is_signed = true;

  bool negative() const { return is_signed && static_cast<int64_t>(bits) < 0; }
  std::strong_ordering operator<=>(const Number& other) const {
    if (negative() != other.negative()) {
      return negative() ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    return bits <=> other.bits;
  }
};

Number Truth(bool value) { return {value ? uint64_t{1} : 0, true}; }

Number Extend(uint64_t raw, uint64_t width, bool is_signed) {
  if (width < 64) {
    raw &= (uint64_t{1} << width) - 1;
    if (is_signed && width > 0 && (raw >> (width - 1) & 1) != 0) raw |= ~uint64_t{0} << width;
  }
  return {raw, is_signed};
}

class Evaluator {
 public:
  Evaluator(const MemoryReader& memory, const std::vector<Addr>& biases, Observations& observations)
      : memory_(memory), biases_(biases), observations_(observations) {}

  Result<Number> Value(const Bound& bound) {
    switch (bound.kind) {
      case Kind::kConstant:
        return Number{bound.number, bound.type.is_signed};
      case Kind::kText:
        return Fail("a text is no number", bound.source);
      case Kind::kVariable:
      case Kind::kDereference:
      case Kind::kMember:
      case Kind::kIndex:
      case Kind::kFunction:
        return Observed(bound);
      case Kind::kUnary:
        return Unary(bound);
      case Kind::kBinary:
        return Binary(bound);
      case Kind::kCompareText:
        return CompareText(bound);
      case Kind::kConditional: {
        MCR_ASSIGN(const Number condition, Value(bound.children[0]));
        return Value(bound.children[condition.bits != 0 ? 1 : 2]);
      }
      case Kind::kCast: {
        MCR_ASSIGN(const Number operand, Value(bound.children[0]));
        return Extend(operand.bits, bound.type.size * 8, bound.type.is_signed);
      }
      case Kind::kAddress: {
        MCR_ASSIGN(const Addr at, Place(bound.children[0]));
        return Number{at.value(), false};
      }
    }
    return Fail("not an expression", bound.source);
  }

 private:
  Result<Number> Observed(const Bound& bound) {
    MCR_ASSIGN(const Number number, Load(bound));
    if (bound.kind != Kind::kFunction) Observe(bound.source, Text(bound.type, number));
    return number;
  }

  // A value whose only use is to lead to another one is not shown.
  Result<Number> Pointer(const Bound& bound) { return bound.is_place ? Load(bound) : Value(bound); }

  Result<Number> Load(const Bound& bound) {
    MCR_ASSIGN(const Addr at, Place(bound));
    if (bound.type.kind == Shape::kArray || bound.type.kind == Shape::kFunction) {
      return Number{at.value(), false};
    }
    const uint64_t size =
        bound.bit_size != 0 ? (bound.bit_offset + bound.bit_size + 7) / 8 : bound.type.size;
    uint64_t raw = 0;
    if (size > sizeof raw) return Fail("a number of more than 64 bits", bound.source);
    if (!memory_.Read(at, std::as_writable_bytes(std::span(&raw, 1)).first(size))) {
      return Fail(fmt::format("`{}` cannot be read: the process has no memory at {}", bound.source,
                              Hex(at)));
    }
    if (bound.bit_size != 0) {
      return Extend(raw >> bound.bit_offset, bound.bit_size, bound.type.is_signed);
    }
    return Extend(raw, size * 8, bound.type.is_signed);
  }

  Result<Addr> Place(const Bound& bound) {
    switch (bound.kind) {
      case Kind::kVariable:
      case Kind::kFunction:
        return biases_[bound.module] + bound.address.value();
      case Kind::kDereference:
        return Target(bound.children[0]);
      case Kind::kMember: {
        MCR_ASSIGN(const Addr owner, Place(bound.children[0]));
        return owner + bound.number;
      }
      case Kind::kIndex: {
        const Bound& array = bound.children[0];
        MCR_ASSIGN(const Addr begin, Target(array));
        MCR_ASSIGN(const Number index, Value(bound.children[1]));
        const bool is_array = array.type.kind == Shape::kArray && array.type.count != 0;
        if (is_array && (index.negative() || index.bits >= array.type.count)) {
          return Fail(fmt::format("`{}` has {} elements, and none with index {}", array.source,
                                  array.type.count, Text({}, index)));
        }
        return begin + index.bits * bound.type.size;
      }
      default:
        return Fail("it is not in memory", bound.source);
    }
  }

  // Where a pointer points, or an array begins.
  Result<Addr> Target(const Bound& pointer) {
    MCR_ASSIGN(const Number value, Pointer(pointer));
    if (value.bits == 0) return Fail(fmt::format("`{}` is null", pointer.source));
    return Addr(value.bits);
  }

  Result<Number> Unary(const Bound& bound) {
    MCR_ASSIGN(const Number operand, Value(bound.children[0]));
    switch (bound.op) {
      case Operator::kNot:
        return Truth(operand.bits == 0);
      case Operator::kComplement:
        return Number{~operand.bits, bound.type.is_signed};
      case Operator::kSubtract:
        return Number{-operand.bits, bound.type.is_signed};
      default:
        return operand;
    }
  }

  Result<Number> Binary(const Bound& bound) {
    MCR_ASSIGN(const Number left, Value(bound.children[0]));
    if (bound.op == Operator::kAnd && left.bits == 0) return Truth(false);
    if (bound.op == Operator::kOr && left.bits != 0) return Truth(true);
    MCR_ASSIGN(const Number right, Value(bound.children[1]));
    switch (bound.op) {
      case Operator::kAnd:
      case Operator::kOr:
        return Truth(right.bits != 0);
      case Operator::kEqual:
        return Truth((left <=> right) == 0);
      case Operator::kNotEqual:
        return Truth((left <=> right) != 0);
      case Operator::kLess:
        return Truth((left <=> right) < 0);
      case Operator::kLessEqual:
        return Truth((left <=> right) <= 0);
      case Operator::kGreater:
        return Truth((left <=> right) > 0);
      case Operator::kGreaterEqual:
        return Truth((left <=> right) >= 0);
      case Operator::kAdd:
      case Operator::kSubtract:
        return Sum(bound, left.bits, right.bits);
      default:
        return Arithmetic(bound, left, right);
    }
  }

  // Pointers move by whole elements.
  static Number Sum(const Bound& bound, uint64_t left, uint64_t right) {
    const ValueType& a = bound.children[0].type;
    const ValueType& b = bound.children[1].type;
    const auto step = [](const ValueType& type) {
      return type.kind == Shape::kInteger ? uint64_t{1} : TypeOf(*type.types, type.target).size;
    };
    const bool adds = bound.op == Operator::kAdd;
    if (a.kind != Shape::kInteger && b.kind != Shape::kInteger) {
      const auto bytes = static_cast<int64_t>(left - right);
      return {static_cast<uint64_t>(bytes / static_cast<int64_t>(step(a))), true};
    }
    const uint64_t first = left * step(b), second = right * step(a);
    return {adds ? first + second : first - second, bound.type.is_signed};
  }

  static Result<Number> Arithmetic(const Bound& bound, const Number& left, const Number& right) {
    const uint64_t a = left.bits, b = right.bits;
    const bool is_signed = bound.type.is_signed;
    switch (bound.op) {
      case Operator::kBitOr:
        return Number{a | b, is_signed};
      case Operator::kBitXor:
        return Number{a ^ b, is_signed};
      case Operator::kBitAnd:
        return Number{a & b, is_signed};
      case Operator::kMultiply:
        return Number{a * b, is_signed};
      case Operator::kShiftLeft:
      case Operator::kShiftRight:
        return Shift(bound, left, right);
      default:
        return Quotient(bound, a, b);
    }
  }

  static Result<Number> Shift(const Bound& bound, const Number& left, const Number& right) {
    if (right.negative() || right.bits >= 64) {
      return Fail(fmt::format("`{}` shifts by {} bits", bound.source, Text({}, right)));
    }
    if (bound.op == Operator::kShiftLeft) return Number{left.bits << right.bits, left.is_signed};
    if (!left.negative()) return Number{left.bits >> right.bits, left.is_signed};
    return Number{~(~left.bits >> right.bits), true};
  }

  static Result<Number> Quotient(const Bound& bound, uint64_t a, uint64_t b) {
    const bool divides = bound.op == Operator::kDivide;
    if (b == 0) return Fail(fmt::format("`{}` divides by zero", bound.source));
    if (!bound.type.is_signed) return Number{divides ? a / b : a % b, false};
    const auto dividend = static_cast<int64_t>(a), divisor = static_cast<int64_t>(b);
    // The one quotient that does not fit.
    if (divisor == -1) return Number{divides ? -a : 0, true};
    return Number{static_cast<uint64_t>(divides ? dividend / divisor : dividend % divisor), true};
  }

  Result<Number> CompareText(const Bound& bound) {
    const Bound& place = bound.children[0];
    MCR_ASSIGN(const Addr at, Target(place));
    const bool bounded = place.type.kind == Shape::kArray && place.type.count != 0;
    const uint64_t limit = bounded ? std::min(place.type.count, kLongestText) : kLongestText;
    std::string text;
    for (char c = 0; text.size() < limit; text += c) {
      if (!memory_.Read(at + text.size(), std::as_writable_bytes(std::span(&c, 1)))) {
        return Fail(fmt::format("`{}` cannot be read: the process has no memory at {}",
                                place.source, Hex(at + text.size())));
      }
      if (c == 0) break;
    }
    Observe(place.source, Quoted(text));
    const bool equal = text == bound.children[1].text;
    return Truth(equal == (bound.op == Operator::kEqual));
  }

  static std::string Quoted(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      const bool plain = ' ' <= c && c <= '~' && c != '"' && c != '\\';
      quoted += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return quoted + "\"";
  }

  static std::string Text(const ValueType& type, const Number& number) {
    const bool is_address = type.kind != Shape::kInteger;
    if (is_address) return number.bits == 0 ? "null" : fmt::format("{:#x}", number.bits);
    std::string text = number.is_signed ? std::to_string(static_cast<int64_t>(number.bits))
                                        : std::to_string(number.bits);
    if (type.types == nullptr || type.id == 0) return text;
    for (const Enumerator& each : (*type.types)[type.id].enumerators) {
      if (each.value == static_cast<int64_t>(number.bits)) return each.name + " (" + text + ")";
    }
    return text;
  }

  void Observe(const std::string& source, std::string value) {
    const auto known = std::ranges::find(observations_, source, &Observations::value_type::first);
    if (known == observations_.end()) observations_.emplace_back(source, std::move(value));
  }

  const MemoryReader& memory_;
  const std::vector<Addr>& biases_;
  Observations& observations_;
};

}  // namespace

Result<bool> EvaluateFilter(const Bound& filter, const MemoryReader& memory,
                            const std::vector<Addr>& biases, Observations& observations) {
  MCR_ASSIGN(const Number value, Evaluator(memory, biases, observations).Value(filter));
  return value.bits != 0;
}

}  // namespace mcr::mutator
