#include "mutator/validate/read_ahead.h"

#include <algorithm>
#include <cstdint>

namespace mcr::mutator {
namespace {

constexpr size_t kWindow = 16 << 10, kPage = 4096;  // bytes

}  // namespace

bool ReadAhead::Holds(Addr from, size_t size) const {
  if (from < begin_) return false;
  const uint64_t offset = from - begin_;
  return offset <= bytes_.size() && size <= bytes_.size() - offset;
}

Status ReadAhead::Read(Addr from, std::span<std::byte> into) const {
  if (into.size() > kWindow) return memory_.Read(from, into);
  // Behind the end of a mapping there may be nothing, but never within a page.
  for (const size_t window : {kWindow, kPage - static_cast<size_t>(from.value() % kPage)}) {
    if (Holds(from, into.size())) break;
    begin_ = from;
    bytes_.resize(window);
    if (!memory_.Read(from, bytes_)) bytes_.clear();
  }
  if (!Holds(from, into.size())) return memory_.Read(from, into);
  std::ranges::copy(std::span(bytes_).subspan(from - begin_, into.size()), into.begin());
  return {};
}

}  // namespace mcr::mutator
