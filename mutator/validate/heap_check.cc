#include "mutator/validate/heap_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "mcr/base/range.h"

namespace mcr::mutator {
namespace {

// The block in use that all of this lies in; nullptr: there is none.
const HeapChunk* BlockAround(const HeapView& heap, Addr begin, uint64_t size) {
  const HeapChunk* chunk = heap.Find(begin);
  const auto range = Range<Addr>::FromSize(begin, size);
  const bool inside = chunk != nullptr && range && chunk->in_use && chunk->payload.Contains(*range);
  return inside ? chunk : nullptr;
}

// What is wrong with the place of an object; "": nothing.
std::string WrongPlace(const Account::Object& object, const HeapView& heap) {
  if (BlockAround(heap, object.before.begin(), object.before.size()) == nullptr) {
    return fmt::format("the block at {} is no longer the one that the old object was in",
                       Hex(object.before.begin()));
  }
  if (BlockAround(heap, object.after, object.after_size) == nullptr) {
    return fmt::format(
        "the {} bytes of the object that was at {} are at {}, in no block of that size",
        object.after_size, Hex(object.before.begin()), Hex(object.after));
  }
  return "";
}

}  // namespace

void CheckHeap(const Account& account, const HeapView& heap, Finding& finding) {
  std::vector<Range<Addr>> places;
  for (const Account::Object& object : account.objects) {
    ++finding.checked;
    if (std::string wrong = WrongPlace(object, heap); !wrong.empty()) {
      finding.Wrong(std::move(wrong));
    }
    // An object that moves is still there until commit.
    if (object.moves) places.push_back(object.before);
    places.push_back(*Range<Addr>::FromSize(object.after, object.after_size));
  }
  std::ranges::sort(places);
  const auto overlap = std::ranges::adjacent_find(
      places, [](const Range<Addr>& a, const Range<Addr>& b) { return a.Overlaps(b); });
  if (overlap != places.end()) {
    finding.Wrong(fmt::format("two objects are at {}", Hex(std::next(overlap)->begin())));
  }
}

}  // namespace mcr::mutator
