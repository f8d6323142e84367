#include "checkpoint/kept/page_pool.h"

#include <unistd.h>

#include <algorithm>

namespace mcr::checkpoint {
namespace {

constexpr char kFile[] = "mcr-pages";

}  // namespace

uint32_t PagePool::Add(std::span<const std::byte> page) {
  if (std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; })) {
    return kZeroPage;
  }
  const std::string_view contents(reinterpret_cast<const char*>(page.data()), page.size());
  const auto known = numbers_.find(contents);
  if (known != numbers_.end()) return known->second;
  pages_.emplace_back(contents);
  const auto number = static_cast<uint32_t>(pages_.size());
  numbers_.emplace(pages_.back(), number);
  return number;
}

Status PagePool::Write(const ImageDirectory& directory) const {
  std::string all;
  all.reserve(pages_.size() * kKeptPageSize);
  for (const std::string& page : pages_) all += page;
  return directory.WriteFile(kFile, all);
}

Result<std::shared_ptr<const KeptPages>> KeptPages::Open(const ImageDirectory& directory) {
  MCR_ASSIGN(OwnedFd file, directory.OpenFile(kFile));
  return std::shared_ptr<const KeptPages>(new KeptPages(std::move(file)));
}

Status KeptPages::Read(uint32_t number, uint64_t offset, std::span<std::byte> into) const {
  if (number == kZeroPage) {
    std::ranges::fill(into, std::byte{0});
    return {};
  }
  const uint64_t at = (number - uint64_t{1}) * kKeptPageSize + offset;
  const ssize_t count = pread(file_.get(), into.data(), into.size(), static_cast<off_t>(at));
  if (count < 0) return FailErrno("cannot read kept pages", kFile);
  if (static_cast<size_t>(count) != into.size()) return Fail("kept pages are missing", kFile);
  return {};
}

}  // namespace mcr::checkpoint
