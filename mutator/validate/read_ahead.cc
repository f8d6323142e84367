#include "mutator/validate/read_ahead.h"

#include <algorithm>
#include <cstdint>

namespace mcr::mutator {
namespace {

constexpr size_t kPage = 4096, kMost = 64 << 10;  // bytes

}  // namespace

bool ReadAhead::Holds(Addr from, size_t size) const {
  if (from < begin_) return false;
  const uint64_t offset = from - begin_;
  return offset <= bytes_.size() && size <= bytes_.size() - offset;
}

void ReadAhead::Fetch(Addr from, size_t size) const {
  begin_ = from;
  bytes_.resize(size);
  if (!memory_.Read(from, bytes_)) bytes_.clear();
}

Status ReadAhead::Read(Addr from, std::span<std::byte> into) const {
  if (into.size() > kMost) return memory_.Read(from, into);
  if (!Holds(from, into.size())) {
    const bool is_near = begin_ <= from && from - begin_ <= bytes_.size() + window_;
    window_ = is_near ? std::clamp(2 * window_, kPage, kMost) : kPage;
    const size_t page = kPage - static_cast<size_t>(from.value() % kPage);  // what is left of it
    Fetch(from, page + window_ - kPage);
    // Behind the end of a mapping there may be nothing, but never within a page.
    if (bytes_.empty()) {
      window_ = kPage;
      Fetch(from, page);
    }
  }
  if (!Holds(from, into.size())) return memory_.Read(from, into);
  std::ranges::copy(std::span(bytes_).subspan(from - begin_, into.size()), into.begin());
  return {};
}

}  // namespace mcr::mutator
