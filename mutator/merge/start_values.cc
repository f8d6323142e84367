#include "mutator/merge/start_values.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kNumber = sizeof(uint32_t);

std::vector<uint64_t> AllocatedSizes(const checkpoint::ProcessImage& image) {
  const LoadedModules modules = LoadedModules::Find(image);
  std::vector<uint64_t> sizes;
  if (const auto chunks = WalkHeap(image)) {
    for (const HeapChunk& chunk : *chunks) {
      if (chunk.in_use) sizes.push_back(chunk.payload.size());
    }
  }
  for (const Mapping& mapping : image.mappings()) {
    // The ends of stacks and of the heap depend on more than what was asked for.
    const bool named = mapping.path.starts_with('[') || mapping.IsFile();
    if (!named && modules.At(mapping.range.begin()) == nullptr) {
      sizes.push_back(mapping.range.size());
    }
  }
  std::ranges::sort(sizes);
  return sizes;
}

template <class T>
T ValueAt(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

bool SameAllocations(const checkpoint::ProcessImage& base, const checkpoint::ProcessImage& next) {
  return AllocatedSizes(base) == AllocatedSizes(next);
}

bool StartValues::MayExchange(std::span<const std::byte> base, std::span<const std::byte> next,
                              FileAddr at) const {
  for (size_t offset = 0; offset < next.size();) {
    const bool aligned_word = (at + offset).value() % kWord == 0 && offset + kWord <= next.size();
    if (aligned_word) {
      const auto old_word = ValueAt<uint64_t>(base, offset);
      const auto new_word = ValueAt<uint64_t>(next, offset);
      // Pointers into what changes follow it.
      const bool follows = context_.modules.HoldOld(old_word) && IsInNew(new_word);
      if (old_word == new_word || follows) {
        offset += kWord;
        continue;
      }
    }
    const size_t to_boundary = kNumber - (at + offset).value() % kNumber;
    const size_t size = std::min({kNumber, to_boundary, next.size() - offset});
    uint32_t old_number = 0, new_number = 0;
    std::memcpy(&old_number, base.data() + offset, size);
    std::memcpy(&new_number, next.data() + offset, size);
    if (old_number != new_number &&
        (IsStray(next, offset, at) || !MayExchangeNumber(old_number, new_number))) {
      return false;
    }
    offset += size;
  }
  return true;
}

bool StartValues::IsInNew(uint64_t word) const {
  return std::ranges::any_of(context_.modules.all(), [&](const ChangedModule& module) {
    return module.new_range.Contains(Addr(word));
  });
}

// Part of a pointer of the rehearsal that is not aligned, and was therefore not translated.
bool StartValues::IsStray(std::span<const std::byte> next, size_t offset, FileAddr at) const {
  const size_t first = offset < kWord ? 0 : offset - kWord + 1;
  const size_t last = std::min(offset + kNumber, next.size());
  for (size_t start = first; start < last && start + kWord <= next.size(); ++start) {
    if ((at + start).value() % kWord == 0) continue;
    const auto word = context_.next_to_live.Translate(ValueAt<uint64_t>(next, start));
    if (word.kind != ImageMap::Kind::kValue) return true;
  }
  return false;
}

bool StartValues::MayExchangeNumber(uint32_t base, uint32_t next) const {
  if (!context_.same_allocations) return false;
  return !context_.base.names.contains(base) || !context_.base.next_names.contains(next);
}

}  // namespace mcr::mutator
