#include "checkpoint/graft/plan.h"

namespace mcr::checkpoint {

void WriteList::Add(Addr at, std::span<const std::byte> bytes) {
  entries_.push_back({.at = at, .offset = arena_.size(), .size = bytes.size()});
  arena_.insert(arena_.end(), bytes.begin(), bytes.end());
}

void WriteList::AddWord(Addr at, uint64_t value) { Add(at, std::as_bytes(std::span(&value, 1))); }

}  // namespace mcr::checkpoint
