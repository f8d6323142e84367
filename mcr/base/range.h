// A half-open range [begin, end) of addresses of one kind. Never wraps around; only shrinks.
#ifndef MCR_BASE_RANGE_H_
#define MCR_BASE_RANGE_H_

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>

#include "mcr/base/address.h"

namespace mcr {

template <class A>
class Range {
 public:
  constexpr Range() = default;

  // nullopt if end < begin.
  static constexpr std::optional<Range> FromTo(A begin, A end) {
    if (end < begin) return std::nullopt;
    return Range(begin, end);
  }
  // nullopt if begin + size overflows.
  static constexpr std::optional<Range> FromSize(A begin, uint64_t size) {
    if (begin.value() + size < begin.value()) return std::nullopt;
    return Range(begin, begin + size);
  }

  constexpr A begin() const { return begin_; }
  constexpr A end() const { return end_; }
  constexpr uint64_t size() const { return end_ - begin_; }
  constexpr bool empty() const { return begin_ == end_; }

  constexpr bool Contains(A address) const { return begin_ <= address && address < end_; }
  constexpr bool Contains(const Range& other) const {
    return begin_ <= other.begin_ && other.end_ <= end_;
  }
  constexpr bool Overlaps(const Range& other) const {
    return begin_ < other.end_ && other.begin_ < end_;
  }
  constexpr Range Intersection(const Range& other) const {
    const A begin = std::max(begin_, other.begin_);
    return Range(begin, std::max(begin, std::min(end_, other.end_)));
  }
  constexpr auto operator<=>(const Range&) const = default;

 private:
  constexpr Range(A begin, A end) : begin_(begin), end_(end) {}

  A begin_;
  A end_;
};

}  // namespace mcr

#endif  // MCR_BASE_RANGE_H_
