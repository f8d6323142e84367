// The objects in the blocks of regions. Nothing says where one ends but its type: a region keeps no
// record of what it has given out.
#ifndef MCR_MUTATOR_GRAPH_REGION_PIECES_H_
#define MCR_MUTATOR_GRAPH_REGION_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/container_index.h"
#include "mutator/graph/regions.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

struct RegionBlock {
  const RegionKind* kind = nullptr;
  Range<Addr> header;
  Range<Addr> room;  // behind the header, up to the last byte in use
  Addr region;       // what its allocating function is to be given; null: not known (yet)
};

struct Piece {
  Range<Addr> memory;
  const Recipe* recipe = nullptr;
  uint64_t count = 1;
  uint64_t spare = 0;    // as an Object has it
  bool counted = false;  // an annotation says how many
  const std::string* found_by = nullptr;
};

class RegionPieces {
 public:
  // `containers` outlives this.
  explicit RegionPieces(const ContainerIndex& containers) : containers_(containers) {}

  // `chunk`: the index of the allocation that the block is.
  void AddBlock(size_t chunk, const RegionBlock& block);
  const RegionBlock* BlockOf(size_t chunk) const;
  void SetRegion(size_t chunk, Addr region);
  const std::unordered_map<size_t, RegionBlock>& blocks() const { return blocks_; }

  enum class Verdict {
    kNew,
    kKnown,     // part of what is known already
    kOutside,   // of what is in use
    kConflict,  // with what is known: `other`
  };
  Verdict Add(const RegionBlock& block, const Piece& piece, const Piece*& other);

  // Whether nothing that is known speaks against a piece.
  bool MayHold(const Piece& piece) const;
  // nullptr: nothing is known of the byte there.
  const Piece* At(Addr at) const;
  // Up to the next piece, or to the end of the block's room.
  Range<Addr> Unknown(const RegionBlock& block, Addr from) const;
  // What no piece covers.
  std::vector<Range<Addr>> Gaps(const RegionBlock& block) const;
  const std::map<Addr, Piece>& all() const { return pieces_; }

 private:
  // Those that share bytes with `memory`, in order.
  std::vector<const Piece*> Overlapping(Range<Addr> memory) const;
  bool Holds(const Piece& outer, const Piece& inner) const;

  const ContainerIndex& containers_;
  std::unordered_map<size_t, RegionBlock> blocks_;
  std::map<Addr, Piece> pieces_;  // by where they begin; none overlaps another
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_REGION_PIECES_H_
