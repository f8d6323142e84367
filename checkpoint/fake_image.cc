#include "checkpoint/fake_image.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace mcr::checkpoint {
namespace {

Addr PageOf(Addr address) {
  return Addr(address.value() / FakeImage::kPageSize * FakeImage::kPageSize);
}

void Require(bool condition, const std::string& what, Addr where) {
  if (!condition) throw std::logic_error("FakeImage: " + what + " at " + Hex(where));
}

}  // namespace

FakeImage::FakeImage(pid_t pid, pid_t parent) : ImageParts(pid, parent) {}

FakeImage& FakeImage::Map(Mapping mapping, std::span<const std::byte> contents) {
  const Addr begin = mapping.range.begin();
  const bool aligned = PageOf(begin) == begin && PageOf(mapping.range.end()) == mapping.range.end();
  Require(aligned && !mapping.range.empty(), "mapping is not made of pages", begin);
  Require(contents.size() <= mapping.range.size(), "more contents than mapping", begin);
  for (const Mapping& other : mappings_) {
    Require(!other.range.Overlaps(mapping.range), "overlapping mapping", begin);
  }
  std::vector<std::byte>& bytes = contents_[begin];
  bytes.assign(contents.begin(), contents.end());
  bytes.resize(mapping.range.size());
  if (!mapping.IsFile()) {
    for (uint64_t at = 0; at < contents.size(); at += kPageSize) populated_.insert(begin + at);
  }
  const auto after = std::upper_bound(
      mappings_.begin(), mappings_.end(), mapping,
      [](const Mapping& a, const Mapping& b) { return a.range.begin() < b.range.begin(); });
  mappings_.insert(after, std::move(mapping));
  return *this;
}

FakeImage& FakeImage::MapAnonymous(Addr begin, uint64_t size, std::string_view path) {
  Mapping mapping;
  const auto range = Range<Addr>::FromSize(begin, size);
  Require(range.has_value(), "mapping wraps around", begin);
  mapping.range = *range;
  mapping.readable = mapping.writable = true;
  mapping.path = path;
  return Map(std::move(mapping));
}

FakeImage& FakeImage::Write(Addr at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const Mapping* mapping = FindMapping(mappings_, at);
    Require(mapping != nullptr, "write outside of all mappings", at);
    const size_t count = std::min<uint64_t>(bytes.size(), mapping->range.end() - at);
    std::vector<std::byte>& contents = contents_.at(mapping->range.begin());
    std::copy_n(bytes.begin(), count, contents.begin() + (at - mapping->range.begin()));
    for (Addr page = PageOf(at); page < at + count; page = page + kPageSize)
      populated_.insert(page);
    at = at + count;
    bytes = bytes.subspan(count);
  }
  return *this;
}

FakeImage& FakeImage::WriteString(Addr at, std::string_view text) {
  const std::string terminated(text);
  return Write(at, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

FakeImage& FakeImage::AddThread(const ThreadImage& thread) {
  threads_.push_back(thread);
  return *this;
}

FakeImage& FakeImage::AddSignalHandler(const SignalHandler& handler) {
  signal_handlers_.push_back(handler);
  return *this;
}

FakeImage& FakeImage::AddEpollEntry(const EpollEntry& entry) {
  epoll_entries_.push_back(entry);
  return *this;
}

FakeImage& FakeImage::AddTimer(const Timer& timer) {
  timers_.push_back(timer);
  return *this;
}

FakeImage& FakeImage::AddSignalStack(const SignalStack& stack) {
  signal_stacks_.push_back(stack);
  return *this;
}

FakeImage& FakeImage::SetLayout(const MemoryLayout& layout) {
  layout_ = layout;
  return *this;
}

Status FakeImage::Read(Addr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const Mapping* mapping = FindMapping(mappings_, from);
    if (mapping == nullptr) return Fail("cannot read memory: nothing is mapped", Hex(from));
    const size_t count = std::min<uint64_t>(into.size(), mapping->range.end() - from);
    const std::vector<std::byte>& contents = contents_.at(mapping->range.begin());
    std::copy_n(contents.begin() + (from - mapping->range.begin()), count, into.begin());
    from = from + count;
    into = into.subspan(count);
  }
  return {};
}

Result<std::vector<Range<Addr>>> FakeImage::PopulatedRanges(Range<Addr> range) const {
  std::vector<Range<Addr>> ranges;
  for (auto page = populated_.lower_bound(PageOf(range.begin()));
       page != populated_.end() && *page < range.end(); ++page) {
    const bool adjacent = !ranges.empty() && ranges.back().end() == *page;
    const Addr begin = adjacent ? ranges.back().begin() : *page;
    if (adjacent) ranges.pop_back();
    ranges.push_back(*Range<Addr>::FromTo(begin, *page + kPageSize));
  }
  return ranges;
}

}  // namespace mcr::checkpoint
