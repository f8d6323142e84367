#include "checkpoint/epoll_info.h"

#include <charconv>
#include <optional>
#include <string>

namespace mcr::checkpoint {
namespace {

// The number that follows `key` and blanks in `line`.
template <class T>
std::optional<T> Field(std::string_view line, std::string_view key, int base) {
  const size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t begin = line.find_first_not_of(' ', at + key.size());
  if (begin == std::string_view::npos) return std::nullopt;
  T value = 0;
  const auto [end, error] =
      std::from_chars(line.data() + begin, line.data() + line.size(), value, base);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::vector<EpollEntry>> ParseEpollInfo(int epoll_fd, std::string_view text) {
  std::vector<EpollEntry> entries;
  while (!text.empty()) {
    const size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (!line.starts_with("tfd:")) continue;
    const auto fd = Field<int>(line, "tfd:", 10);
    const auto events = Field<uint32_t>(line, "events:", 16);
    const auto data = Field<uint64_t>(line, "data:", 16);
    if (!fd || !events || !data) {
      return Fail("cannot parse an epoll entry", "fdinfo/" + std::to_string(epoll_fd));
    }
    entries.push_back({.epoll_fd = epoll_fd, .fd = *fd, .events = *events, .data = *data});
  }
  return entries;
}

}  // namespace mcr::checkpoint
