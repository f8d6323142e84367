#include "mcr/record/announced_ports.h"

#include <charconv>
#include <optional>
#include <utility>

namespace mcr::record {
namespace {

constexpr unsigned kBytesBase = 256;

std::optional<unsigned> Number(std::string_view digits, unsigned limit) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && number < limit ? std::optional(number) : std::nullopt;
}

std::optional<uint16_t> PortOf(const std::vector<std::string_view>& match) {
  if (match.size() == 2) {
    const auto port = Number(match[1], kBytesBase * kBytesBase);
    return port ? std::optional(static_cast<uint16_t>(*port)) : std::nullopt;
  }
  const auto upper = Number(match[1], kBytesBase), lower = Number(match[2], kBytesBase);
  if (!upper || !lower) return std::nullopt;
  return static_cast<uint16_t>(*upper * kBytesBase + *lower);
}

}  // namespace

Result<AnnouncedPorts> AnnouncedPorts::Create(const std::vector<std::string>& expressions) {
  AnnouncedPorts ports;
  for (const std::string& text : expressions) {
    MCR_ASSIGN(RegularExpression expression, RegularExpression::Create(text));
    if (expression.groups() != 1 && expression.groups() != 2) {
      return Fail("a port is one group, its number, or two, its bytes", text);
    }
    ports.expressions_.push_back(std::move(expression));
  }
  return ports;
}

std::vector<uint16_t> AnnouncedPorts::FindIn(std::string_view text) const {
  std::vector<uint16_t> ports;
  for (const RegularExpression& expression : expressions_) {
    expression.ForEachMatch(text, [&](const auto& match) {
      if (const auto port = PortOf(match)) ports.push_back(*port);
    });
  }
  return ports;
}

}  // namespace mcr::record
