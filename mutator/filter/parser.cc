#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "mutator/filter/lexer.h"
#include "mutator/filter/syntax.h"

namespace mcr::mutator {
namespace {

using Kind = Syntax::Kind;

constexpr int kDeepest = 64;  // brackets and prefixes within each other
// A chain of operators is as deep a tree as it is long.
constexpr size_t kMostWords = 256;

struct BinaryOperator {
  std::string_view text;
  Operator op;
  int precedence;  // higher binds tighter
};

constexpr std::array<BinaryOperator, 18> kBinary{{
    {"||", Operator::kOr, 1},
    {"&&", Operator::kAnd, 2},
    {"|", Operator::kBitOr, 3},
    {"^", Operator::kBitXor, 4},
    {"&", Operator::kBitAnd, 5},
    {"==", Operator::kEqual, 6},
    {"!=", Operator::kNotEqual, 6},
    {"<", Operator::kLess, 7},
    {"<=", Operator::kLessEqual, 7},
    {">", Operator::kGreater, 7},
    {">=", Operator::kGreaterEqual, 7},
    {"<<", Operator::kShiftLeft, 8},
    {">>", Operator::kShiftRight, 8},
    {"+", Operator::kAdd, 9},
    {"-", Operator::kSubtract, 9},
    {"*", Operator::kMultiply, 10},
    {"/", Operator::kDivide, 10},
    {"%", Operator::kRemainder, 10},
}};

constexpr std::array<std::pair<std::string_view, Operator>, 6> kPrefix{{
    {"!", Operator::kNot},
    {"~", Operator::kComplement},
    {"-", Operator::kSubtract},
    {"+", Operator::kAdd},
    {"*", Operator::kDereference},
    {"&", Operator::kAddress},
}};

constexpr std::array<std::string_view, 7> kBasicWords = {"unsigned", "signed", "char", "short",
                                                         "int",      "long",   "_Bool"};
constexpr std::array<std::string_view, 11> kBasicNames = {
    "bool",     "int8_t",   "int16_t",  "int32_t", "int64_t",  "uint8_t",
    "uint16_t", "uint32_t", "uint64_t", "size_t",  "uintptr_t"};
constexpr std::array<std::string_view, 3> kTags = {"struct", "union", "enum"};

bool Holds(const auto& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens)
      : source_(source), tokens_(std::move(tokens)) {}

  Result<Syntax> All() {
    MCR_ASSIGN(Syntax expression, Conditional());
    if (Now().kind != Token::Kind::kEnd) return Unexpected("an operator");
    return expression;
  }

 private:
  const Token& Now(size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  bool Is(std::string_view symbol, size_t ahead = 0) const {
    return Now(ahead).kind == Token::Kind::kSymbol && Now(ahead).text == symbol;
  }
  bool Take(std::string_view symbol) {
    if (!Is(symbol)) return false;
    ++next_;
    return true;
  }
  size_t LastEnd() const { return next_ == 0 ? 0 : tokens_[next_ - 1].end; }

  tl::unexpected<Error> Unexpected(const std::string& wanted) const {
    const Token& token = Now();
    const std::string found =
        token.kind == Token::Kind::kEnd
            ? "the end"
            : "`" + std::string(source_.substr(token.begin, token.end - token.begin)) + "`";
    return Fail(wanted + " is expected, not " + found, ColumnOf(source_, token.begin));
  }

  Status Expect(std::string_view symbol) {
    if (Take(symbol)) return {};
    return Unexpected("`" + std::string(symbol) + "`");
  }

  Result<Syntax> Conditional() {
    MCR_ASSIGN(Syntax condition, Binary(1));
    if (!Take("?")) return condition;
    const Deeper deeper(depth_);
    if (depth_ > kDeepest) return TooDeep();
    MCR_ASSIGN(Syntax yes, Conditional());
    MCR_TRY(Expect(":"));
    MCR_ASSIGN(Syntax no, Conditional());
    const size_t begin = condition.begin;
    return Node(Kind::kConditional, begin, std::move(condition), std::move(yes), std::move(no));
  }

  Result<Syntax> Binary(int precedence) {
    MCR_ASSIGN(Syntax left, Unary());
    for (;;) {
      const auto found = std::ranges::find_if(kBinary, [&](const BinaryOperator& each) {
        return Is(each.text) && each.precedence >= precedence;
      });
      if (found == kBinary.end()) return left;
      ++next_;
      MCR_ASSIGN(Syntax right, Binary(found->precedence + 1));
      const size_t begin = left.begin;
      left = Node(Kind::kBinary, begin, std::move(left), std::move(right));
      left.op = found->op;
    }
  }

  Result<Syntax> Unary() {
    const Deeper deeper(depth_);
    if (depth_ > kDeepest) return TooDeep();
    const size_t begin = Now().begin;
    for (const auto& [text, op] : kPrefix) {
      if (!Take(text)) continue;
      MCR_ASSIGN(Syntax operand, Unary());
      Syntax node = Node(Kind::kUnary, begin, std::move(operand));
      node.op = op;
      return node;
    }
    if (Is("(") && IsTypeAhead()) return Cast(begin);
    return Postfix();
  }

  // A name in brackets is a type if it is one of C's, has a tag, or is followed by a star and the
  // bracket's end: no expression looks like that.
  bool IsTypeAhead() const {
    const Token& name = Now(1);
    if (name.kind != Token::Kind::kName) return false;
    if (Holds(kBasicWords, name.text) || Holds(kBasicNames, name.text) || Holds(kTags, name.text)) {
      return true;
    }
    size_t at = 2;
    while (Is("*", at)) ++at;
    return at > 2 && Is(")", at);
  }

  Result<Syntax> Cast(size_t begin) {
    ++next_;
    TypeName type;
    while (Now().kind == Token::Kind::kName) {
      if (!type.name.empty()) type.name += ' ';
      type.name += Now().text;
      ++next_;
    }
    while (Take("*")) ++type.pointers;
    MCR_TRY(Expect(")"));
    MCR_ASSIGN(Syntax operand, Unary());
    Syntax node = Node(Kind::kCast, begin, std::move(operand));
    node.type = std::move(type);
    return node;
  }

  Result<Syntax> Postfix() {
    MCR_ASSIGN(Syntax node, Primary());
    for (;;) {
      const size_t begin = node.begin;
      if (Take("[")) {
        MCR_ASSIGN(Syntax index, Conditional());
        MCR_TRY(Expect("]"));
        node = Node(Kind::kIndex, begin, std::move(node), std::move(index));
      } else if (Is(".") || Is("->")) {
        const Kind kind = Is(".") ? Kind::kMember : Kind::kArrow;
        ++next_;
        if (Now().kind != Token::Kind::kName) return Unexpected("the name of a field");
        std::string field = Now().text;
        ++next_;
        node = Node(kind, begin, std::move(node));
        node.text = std::move(field);
      } else if (Is("(")) {
        return Fail("functions are not called: they would have to run in the server",
                    ColumnOf(source_, Now().begin));
      } else {
        return node;
      }
    }
  }

  Result<Syntax> Primary() {
    const Token token = Now();
    if (Take("(")) {
      MCR_ASSIGN(Syntax inner, Conditional());
      MCR_TRY(Expect(")"));
      inner.begin = token.begin;
      inner.end = LastEnd();
      return inner;
    }
    Syntax node;
    node.text = token.text;
    switch (token.kind) {
      case Token::Kind::kNumber:
        node.kind = Kind::kNumber;
        node.number = token.number;
        node.is_unsigned = token.is_unsigned;
        break;
      case Token::Kind::kText:
        node.kind = Kind::kText;
        break;
      case Token::Kind::kName:
        node.kind = Kind::kName;
        break;
      case Token::Kind::kUnit:
        ++next_;
        MCR_TRY(Expect("::"));
        if (Now().kind != Token::Kind::kName) return Unexpected("the name of a variable");
        node.kind = Kind::kName;
        node.unit = token.text;
        node.text = Now().text;
        break;
      default:
        return Unexpected("a value");
    }
    ++next_;
    node.begin = token.begin;
    node.end = LastEnd();
    return node;
  }

  template <class... Children>
  Syntax Node(Kind kind, size_t begin, Children&&... children) const {
    Syntax node;
    node.kind = kind;
    node.begin = begin;
    node.end = LastEnd();
    (node.children.push_back(std::forward<Children>(children)), ...);
    return node;
  }

  tl::unexpected<Error> TooDeep() const {
    return Fail("the expression is nested too deeply", ColumnOf(source_, Now().begin));
  }

  struct Deeper {
    explicit Deeper(int& depth) : depth(depth) { ++depth; }
    ~Deeper() { --depth; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth;
  };

  std::string_view source_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<Syntax> ParseFilter(std::string_view source) {
  MCR_ASSIGN(std::vector<Token> tokens, LexFilter(source));
  if (tokens.size() > kMostWords) {
    return Fail("the expression has more than " + std::to_string(kMostWords) + " words",
                ColumnOf(source, tokens[kMostWords].begin), "give --require several times");
  }
  return Parser(source, std::move(tokens)).All();
}

}  // namespace mcr::mutator
