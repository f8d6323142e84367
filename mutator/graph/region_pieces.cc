#include "mutator/graph/region_pieces.h"

#include <algorithm>
#include <iterator>

namespace mcr::mutator {

void RegionPieces::AddBlock(size_t chunk, const RegionBlock& block) { blocks_[chunk] = block; }

const RegionBlock* RegionPieces::BlockOf(size_t chunk) const {
  const auto found = blocks_.find(chunk);
  return found == blocks_.end() ? nullptr : &found->second;
}

void RegionPieces::SetRegion(size_t chunk, Addr region) { blocks_.at(chunk).region = region; }

const Piece* RegionPieces::At(Addr at) const {
  const auto after = pieces_.upper_bound(at);
  if (after == pieces_.begin()) return nullptr;
  const Piece& piece = std::prev(after)->second;
  return piece.memory.Contains(at) ? &piece : nullptr;
}

std::vector<const Piece*> RegionPieces::Overlapping(Range<Addr> memory) const {
  std::vector<const Piece*> overlapping;
  auto each = pieces_.upper_bound(memory.begin());
  if (each != pieces_.begin()) --each;
  for (; each != pieces_.end() && each->first < memory.end(); ++each) {
    if (each->second.memory.Overlaps(memory)) overlapping.push_back(&each->second);
  }
  return overlapping;
}

// Whether the type of `outer` has what `inner` is, where it is.
bool RegionPieces::Holds(const Piece& outer, const Piece& inner) const {
  const uint64_t size = std::max<uint64_t>(outer.recipe->from_size, 1);
  const uint64_t offset = inner.memory.begin() - outer.memory.begin();
  return outer.memory.Contains(inner.memory) &&
         containers_.Holds(outer.recipe->before, inner.recipe->before, offset % size);
}

RegionPieces::Verdict RegionPieces::Add(const RegionBlock& block, const Piece& piece,
                                        const Piece*& other) {
  if (!block.room.Contains(piece.memory)) return Verdict::kOutside;
  const std::vector<const Piece*> overlapping = Overlapping(piece.memory);
  for (const Piece* known : overlapping) {
    if (Holds(*known, piece)) return Verdict::kKnown;
    if (!Holds(piece, *known)) {
      other = known;
      return Verdict::kConflict;
    }
  }
  for (const Piece* part : overlapping) pieces_.erase(part->memory.begin());
  pieces_.emplace(piece.memory.begin(), piece);
  return Verdict::kNew;
}

bool RegionPieces::MayHold(const Piece& piece) const {
  return std::ranges::all_of(Overlapping(piece.memory),
                             [&](const Piece* known) { return Holds(piece, *known); });
}

Range<Addr> RegionPieces::Unknown(const RegionBlock& block, Addr from) const {
  const auto next = pieces_.lower_bound(from);
  const Addr end =
      next == pieces_.end() ? block.room.end() : std::min(next->first, block.room.end());
  return *Range<Addr>::FromTo(from, std::max(from, end));
}

std::vector<Range<Addr>> RegionPieces::Gaps(const RegionBlock& block) const {
  std::vector<Range<Addr>> gaps;
  for (Addr at = block.room.begin(); at < block.room.end();) {
    const Piece* piece = At(at);
    if (piece != nullptr) {
      at = piece->memory.end();
      continue;
    }
    gaps.push_back(Unknown(block, at));
    at = gaps.back().end();
  }
  return gaps;
}

}  // namespace mcr::mutator
