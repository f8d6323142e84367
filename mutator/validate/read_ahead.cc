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

Status ReadAhead::Fetch(Addr from, size_t size) const {
  const bool is_near = begin_ <= from && from - begin_ <= bytes_.size() + window_;
  window_ = is_near ? std::clamp(2 * window_, kPage, kMost) : kPage;
  const uint64_t within = from.value() % kPage;
  const size_t needed = (within + size + kPage - 1) / kPage * kPage;
  begin_ = from - within;
  bytes_.resize(std::max(window_, needed));
  if (memory_.Read(begin_, bytes_)) return {};
  // Behind the end of a mapping there may be nothing.
  window_ = kPage;
  bytes_.resize(needed);
  Status read = memory_.Read(begin_, bytes_);
  if (!read) bytes_.clear();
  return read;
}

Status ReadAhead::Read(Addr from, std::span<std::byte> into) const {
  if (into.size() > kMost) return memory_.Read(from, into);
  if (!Holds(from, into.size())) MCR_TRY(Fetch(from, into.size()));
  std::ranges::copy(std::span(bytes_).subspan(from - begin_, into.size()), into.begin());
  return {};
}

}  // namespace mcr::mutator
