#include "mutator/graph/heap_holders.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "mcr/base/mapping.h"
#include "mutator/graph/dead_stacks.h"
#include "mutator/graph/memory_scan.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

class Search {
 public:
  Search(const checkpoint::ProcessImage& image, const std::vector<HeapChunk>& chunks)
      : image_(image), chunks_(chunks), dead_(image) {}

  Status In(const Mapping& mapping) {
    MCR_ASSIGN(const auto populated, image_.PopulatedRanges(mapping.range));
    for (const Range<Addr>& range : populated) {
      std::vector<std::byte> bytes(range.size());
      MCR_TRY(image_.Read(range.begin(), bytes));
      for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
        uint64_t word;
        std::memcpy(&word, bytes.data() + at, kWord);
        Word(range.begin() + at, Addr(word));
      }
    }
    return {};
  }

  std::vector<HeapHolder> Take() {
    std::ranges::sort(found_, {},
                      [](const HeapHolder& each) { return std::pair(each.allocation, each.word); });
    return std::move(found_);
  }

 private:
  void Word(Addr at, Addr target) {
    const HeapChunk* chunk = FindChunk(chunks_, target);
    if (chunk == nullptr || !chunk->in_use) return;
    const HeapChunk* holder = FindChunk(chunks_, at);
    if (holder != nullptr ? !holder->in_use : IsMallocs(*chunk, target)) return;
    if (!dead_.HoldWord(at)) found_.push_back({chunk->payload.begin(), at});
  }

  // malloc's tables hold addresses of blocks, which begin a word before the end of what the block
  // before may use.
  static bool IsMallocs(const HeapChunk& chunk, Addr target) {
    return target + kWord == chunk.payload.end();
  }

  const checkpoint::ProcessImage& image_;
  const std::vector<HeapChunk>& chunks_;
  const DeadStacks dead_;
  std::vector<HeapHolder> found_;
};

}  // namespace

Result<std::vector<HeapHolder>> FindHolders(const checkpoint::ProcessImage& image,
                                            const std::vector<HeapChunk>& chunks) {
  Search search(image, chunks);
  for (const Mapping& mapping : image.mappings()) {
    if (IsScanned(mapping) && mapping.writable) MCR_TRY(search.In(mapping));
  }
  return search.Take();
}

std::span<const HeapHolder> HoldersOf(const std::vector<HeapHolder>& holders, Addr allocation) {
  const auto found = std::ranges::equal_range(holders, allocation, {}, &HeapHolder::allocation);
  return {found.begin(), found.end()};
}

}  // namespace mcr::mutator
