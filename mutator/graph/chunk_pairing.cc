#include "mutator/graph/chunk_pairing.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iterator>

#include "mutator/graph/memory_window.h"
#include "mutator/graph/same_word.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kPage = 4096;

// One of the two processes.
struct Side {
  explicit Side(const checkpoint::ProcessImage& image) : words(image), memory(image) {}

  WordsOf words;
  MemoryWindow memory;
};

// A block that was free before begins with the link to the next free one until it is overwritten;
// glibc (since 2.32) exclusive-ors it with the page number of where it is kept.
uint64_t Unlinked(uint64_t word, Addr at) { return word ^ (at.value() / kPage); }

// Of a text that fills its block in part only, the rest is what was there before.
bool HoldSameText(Side& live, Range<Addr> live_payload, Side& base, Range<Addr> base_payload) {
  constexpr size_t kShortest = 3;  // that is no number
  size_t length = 0;
  for (uint64_t at = 0; at + kWord <= live_payload.size(); at += kWord) {
    const auto ours = live.memory.Word(live_payload.begin() + at);
    const auto theirs = base.memory.Word(base_payload.begin() + at);
    if (!ours || !theirs) return false;
    for (size_t i = 0; i < kWord; ++i) {
      const auto c = static_cast<unsigned char>(*ours >> (8 * i));
      if (c != static_cast<unsigned char>(*theirs >> (8 * i))) return false;
      if (c == 0) return length >= kShortest;
      if (!std::isprint(c) && !std::isspace(c)) return false;
      ++length;
    }
  }
  return false;
}

bool AreAlike(Side& live, Range<Addr> live_payload, Side& base, Range<Addr> base_payload) {
  if (HoldSameText(live, live_payload, base, base_payload)) return true;
  uint64_t same = 0, different = 0;
  for (uint64_t at = 0; at + kWord <= live_payload.size(); at += kWord) {
    const auto ours = live.memory.Word(live_payload.begin() + at);
    const auto theirs = base.memory.Word(base_payload.begin() + at);
    if (!ours || !theirs) return false;
    if (*ours == 0 && *theirs == 0) continue;  // unused memory is zero, too: it says nothing
    if (live.words.PointElsewhere(*ours) && base.words.PointElsewhere(*theirs)) continue;
    const bool same_link =
        at == 0 && live.words.Say(Unlinked(*ours, live_payload.begin()), base.words,
                                  Unlinked(*theirs, base_payload.begin()));
    ++(same_link || live.words.Say(*ours, base.words, *theirs) ? same : different);
  }
  return different == 0 || same > different;
}

}  // namespace

std::vector<ChunkPair> PairChunks(const checkpoint::ProcessImage& live_image,
                                  const std::vector<HeapChunk>& live_chunks,
                                  const checkpoint::ProcessImage& base_image,
                                  const std::vector<HeapChunk>& base_chunks) {
  Side live(live_image), base(base_image);
  std::vector<ChunkPair> pairs;
  for (const HeapChunk& chunk : base_chunks) {
    if (!chunk.in_use || chunk.mmapped || !base.words.heap().Contains(chunk.payload)) continue;
    const Addr at = live.words.heap().begin() + (chunk.payload.begin() - base.words.heap().begin());
    const HeapChunk* counterpart = FindChunk(live_chunks, at);
    const bool same_block = counterpart != nullptr && counterpart->in_use &&
                            !counterpart->mmapped && counterpart->payload.begin() == at &&
                            counterpart->payload.size() == chunk.payload.size();
    if (same_block && AreAlike(live, counterpart->payload, base, chunk.payload)) {
      pairs.push_back({counterpart->payload, chunk.payload});
    }
  }
  return pairs;
}

// Both sides ascend, since both are at the same offsets.
const ChunkPair* FindPair(const std::vector<ChunkPair>& pairs, Range<Addr> ChunkPair::* side,
                          Addr at) {
  const auto after = std::ranges::upper_bound(
      pairs, at, {}, [&](const ChunkPair& pair) { return (pair.*side).begin(); });
  if (after == pairs.begin()) return nullptr;
  const ChunkPair& pair = *std::prev(after);
  return (pair.*side).Contains(at) ? &pair : nullptr;
}

}  // namespace mcr::mutator
