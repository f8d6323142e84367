#include "mcr/record/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mcr::record {
namespace {

constexpr std::string_view kMasked = "<masked>";
constexpr size_t kMostLines = 6;
constexpr size_t kLongestLine = 160;  // characters

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string Printable(std::string_view line) {
  std::string text;
  for (const unsigned char c : line) {
    if (text.size() >= kLongestLine) return text + "...";
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c >= 0x20 && c < 0x7f) {
      text += static_cast<char>(c);
    } else {
      text += fmt::format("\\x{:02x}", c);
    }
  }
  return text;
}

std::string Show(char sign, const std::vector<std::string_view>& lines, size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) {
    if (i - from == kMostLines) return text + fmt::format("{} ... {} more\n", sign, to - i);
    text += fmt::format("{} {}\n", sign, Printable(lines[i]));
  }
  return text;
}

}  // namespace

Result<Masks> Masks::Create(const std::vector<std::string>& expressions) {
  Masks masks;
  for (const std::string& text : expressions) {
    MCR_ASSIGN(RegularExpression expression, RegularExpression::Create(text));
    masks.expressions_.push_back(std::move(expression));
  }
  return masks;
}

std::string Masks::Apply(std::string text) const {
  for (const RegularExpression& expression : expressions_) {
    std::string masked;
    const char* at = text.data();
    expression.ForEachMatch(text, [&](const auto& match) {
      masked.append(at, match[0].data()).append(kMasked);
      at = match[0].data() + match[0].size();
    });
    masked.append(at, std::as_const(text).data() + text.size());
    text = std::move(masked);
  }
  return text;
}

std::string Difference(std::string_view recorded, std::string_view replayed) {
  if (recorded == replayed) return "";
  const auto before = Lines(recorded), after = Lines(replayed);
  const size_t shorter = std::min(before.size(), after.size());
  size_t head = 0, tail = 0;
  while (head < shorter && before[head] == after[head]) ++head;
  while (tail < shorter - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  std::string text = fmt::format("line {} of the answers:\n", head + 1);
  if (head > 0) text += Show(' ', before, head - 1, head);
  text += Show('-', before, head, before.size() - tail);
  text += Show('+', after, head, after.size() - tail);
  return text;
}

}  // namespace mcr::record
