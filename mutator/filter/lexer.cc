#include "mutator/filter/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "mutator/filter/syntax.h"

namespace mcr::mutator {
namespace {

constexpr size_t kLongest = 4096;  // characters
constexpr std::array<std::string_view, 10> kTwoCharacters = {
    "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "->", "::"};
constexpr std::string_view kOneCharacter = "|^&<>+-*/%!~.[]()?:";

bool IsDigit(char c) { return '0' <= c && c <= '9'; }
bool IsNameStart(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_' || c == '$';
}
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }
bool Holds(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> All() {
    if (source_.size() > kLongest) {
      return Fail("the expression is longer than " + std::to_string(kLongest) + " characters");
    }
    for (;;) {
      while (at_ < source_.size() && IsSpace(source_[at_])) ++at_;
      Token token;
      token.begin = at_;
      if (at_ == source_.size()) {
        token.end = at_;
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      MCR_TRY(Next(token));
      token.end = at_;
      tokens_.push_back(std::move(token));
    }
  }

 private:
  Status Next(Token& token) {
    const char c = source_[at_];
    if (IsDigit(c)) return Number(token);
    if (IsNameStart(c)) return Name(token);
    if (c == '"' || c == '\'') return Quoted(token, c);
    return Symbol(token);
  }

  Status Number(Token& token) {
    token.kind = Token::Kind::kNumber;
    int base = 10;
    if (source_.substr(at_, 2) == "0x" || source_.substr(at_, 2) == "0X") {
      base = 16;
      at_ += 2;
    } else if (source_[at_] == '0') {
      base = 8;
    }
    const char* end = source_.data() + source_.size();
    const auto [rest, error] = std::from_chars(source_.data() + at_, end, token.number, base);
    if (error == std::errc::result_out_of_range) {
      return Fail("the number has more than 64 bits", ColumnOf(source_, token.begin));
    }
    if (error != std::errc()) return Fail("a number is expected", ColumnOf(source_, at_));
    at_ = static_cast<size_t>(rest - source_.data());
    while (at_ < source_.size() && Holds("uUlL", source_[at_])) {
      if (source_[at_] == 'u' || source_[at_] == 'U') token.is_unsigned = true;
      ++at_;
    }
    if (at_ < source_.size() && (IsNamePart(source_[at_]) || source_[at_] == '.')) {
      return Fail(source_[at_] == '.' ? "floating-point numbers are not compared"
                                      : "this is no digit of the number",
                  ColumnOf(source_, at_));
    }
    return {};
  }

  // Qualified names are one token: ns::x.
  Status Name(Token& token) {
    token.kind = Token::Kind::kName;
    for (;;) {
      while (at_ < source_.size() && IsNamePart(source_[at_])) ++at_;
      const bool goes_on = source_.substr(at_, 2) == "::" && at_ + 2 < source_.size() &&
                           IsNameStart(source_[at_ + 2]);
      if (!goes_on) break;
      at_ += 2;
    }
    token.text = source_.substr(token.begin, at_ - token.begin);
    return {};
  }

  Status Quoted(Token& token, char quote) {
    for (++at_; at_ < source_.size() && source_[at_] != quote; ++at_) {
      if (source_[at_] != '\\') {
        token.text += source_[at_];
        continue;
      }
      ++at_;
      const auto meant = at_ < source_.size() ? Escaped(source_[at_]) : std::nullopt;
      if (!meant) return Fail("an unknown escape sequence", ColumnOf(source_, at_ - 1));
      token.text += *meant;
    }
    if (at_ == source_.size()) {
      return Fail("the quote is not closed", ColumnOf(source_, token.begin));
    }
    ++at_;
    if (quote == '"') {
      token.kind = Token::Kind::kText;
    } else if (token.text.size() == 1) {
      token.kind = Token::Kind::kNumber;
      token.number = static_cast<uint64_t>(static_cast<int64_t>(token.text[0]));
    } else {
      token.kind = Token::Kind::kUnit;
    }
    return {};
  }

  static std::optional<char> Escaped(char c) {
    constexpr std::string_view kLetters = "nrt0\\'\"", kMeant{"\n\r\t\0\\'\"", 7};
    const size_t found = kLetters.find(c);
    if (found == std::string_view::npos) return std::nullopt;
    return kMeant[found];
  }

  Status Symbol(Token& token) {
    token.kind = Token::Kind::kSymbol;
    const std::string_view two = source_.substr(at_, 2);
    if (std::ranges::find(kTwoCharacters, two) != kTwoCharacters.end()) {
      token.text = two;
    } else if (Holds(kOneCharacter, source_[at_])) {
      token.text = source_[at_];
    } else {
      return Fail(source_[at_] == '=' ? "nothing can be assigned here: `==` compares"
                                      : "an unknown character",
                  ColumnOf(source_, at_));
    }
    at_ += token.text.size();
    return {};
  }

  std::string_view source_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> LexFilter(std::string_view source) { return Lexer(source).All(); }

std::string ColumnOf(std::string_view source, size_t at) {
  return "column " + std::to_string(at + 1) + " of `" + std::string(source.substr(0, 200)) + "`";
}

}  // namespace mcr::mutator
