#include "mutator/graph/snapshot.h"

#include <algorithm>
#include <cstring>

namespace mcr::mutator {
namespace {

constexpr uint64_t kBlock = 64 << 10;

}  // namespace

const std::vector<std::byte>* Snapshot::BlockAt(uint64_t number) const {
  if (number == last_number_) return last_;
  const auto [entry, is_new] = blocks_.try_emplace(number);
  if (is_new) {
    entry->second.resize(kBlock);
    if (!image_.Read(Addr(number * kBlock), entry->second)) entry->second.clear();
  }
  last_number_ = number;
  last_ = entry->second.empty() ? nullptr : &entry->second;
  return last_;
}

Status Snapshot::Read(Addr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const uint64_t offset = from.value() % kBlock;
    const size_t size = std::min<size_t>(into.size(), kBlock - offset);
    if (const auto* block = BlockAt(from.value() / kBlock)) {
      std::memcpy(into.data(), block->data() + offset, size);
    } else {
      MCR_TRY(image_.Read(from, into.first(size)));
    }
    from = from + size;
    into = into.subspan(size);
  }
  return {};
}

}  // namespace mcr::mutator
