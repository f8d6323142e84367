// The part of tracing that finds the objects in the blocks of regions (regions.h).
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "mutator/graph/plausible.h"
#include "mutator/graph/tracer.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

}  // namespace

const RegionBlock* Tracer::BlockAt(uint64_t word) const {
  const size_t chunk = ChunkAt(word);
  return chunk == kNone ? nullptr : pieces_.BlockOf(chunk);
}

// A pointer to a block: true, and nothing more is to be done about it.
bool Tracer::FollowBlock(uint64_t word, size_t chunk, TypeId before, const Pointed& pointed) {
  const RegionKind* kind = regions_.WithBlock(before);
  if (kind == nullptr || chunks_[chunk].payload.begin() != Addr(word)) return false;
  const RegionBlock* known = pieces_.BlockOf(chunk);
  if (known == nullptr && IsTyped(chunk)) return false;
  const bool block_is_region = containers_.Same(kind->region, kind->block);
  const bool owner_is_region =
      !block_is_region && pointed.owner != 0 && containers_.Same(kind->region, pointed.owner);
  const Addr region = owner_is_region ? pointed.owner_at : block_is_region ? Addr(word) : Addr();
  if (known == nullptr && !BlockIn(chunk, *kind, before)) {
    // The pointer dangles: the region is gone, and its memory is something else's.
    FollowUntyped(word, pointed.found_by, false);
  } else if (known == nullptr) {
    GiveBlocks(chunk, *kind, region, pointed.found_by);
  } else if (owner_is_region && known->region.IsNull()) {
    pieces_.SetRegion(chunk, region);
  }
  return true;
}

// A region's first piece may be what leads to the region: nothing else points to the block then. It
// is one if it begins as one does.
bool Tracer::FollowIntoBlock(const Inner& inner) {
  const HeapChunk& chunk = chunks_[inner.chunk];
  for (const RegionKind& kind : regions_.all()) {
    if (!MayBeBlock(chunk, inner.offset, kind)) continue;
    const bool is_region = containers_.Same(kind.region, kind.block);
    GiveBlocks(inner.chunk, kind, is_region ? chunk.payload.begin() : Addr(), inner.found_by);
    inner_.push_back(inner);
    return true;
  }
  return false;
}

bool Tracer::MayBeBlock(const HeapChunk& chunk, uint64_t offset, const RegionKind& kind) const {
  const Recipe& header = recipes_.Get(kind.block);
  std::vector<std::byte> bytes(header.from_size);
  if (offset < bytes.size() || !memory_.Read(chunk.payload.begin(), bytes)) return false;
  uint64_t next = 0, end = 0;
  std::memcpy(&next, bytes.data() + kind.next, kWord);
  std::memcpy(&end, bytes.data() + kind.end, kWord);
  const size_t behind = ChunkAt(next);
  const bool chains =
      next == 0 || (behind != kNone && chunks_[behind].payload.begin() == Addr(next));
  return chains && chunk.payload.begin() + offset < Addr(end) && Addr(end) <= chunk.payload.end() &&
         IsPlausible(header, bytes, memory_.image().mappings(), recipes_);
}

// This one, and those that are chained behind it.
void Tracer::GiveBlocks(size_t chunk, const RegionKind& kind, Addr region, Label found_by) {
  TypeId header = kind.block;
  while (true) {
    const auto next = GiveBlock(chunk, kind, header, region, found_by);
    if (!next || next->IsNull()) return;
    chunk = ChunkAt(next->value());
    const RegionBlock* known = chunk == kNone ? nullptr : pieces_.BlockOf(chunk);
    if (known != nullptr && known->header.size() == recipes_.Get(kind.chained).from_size) return;
    if (chunk == kNone || (known == nullptr && IsTyped(chunk)) ||
        chunks_[chunk].payload.begin() != *next) {
      problems_.push_back({*next, fmt::format("`{}` leads to {}, which is no block of a region",
                                              *found_by, Hex(*next))});
      return;
    }
    header = kind.chained;
  }
}

// nullopt: its header makes no sense.
std::optional<Tracer::Block> Tracer::BlockIn(size_t chunk, const RegionKind& kind,
                                             TypeId header) const {
  const Range<Addr> memory = chunks_[chunk].payload;
  const auto next = memory_.ReadValue<uint64_t>(memory.begin() + kind.next);
  const auto end = memory_.ReadValue<uint64_t>(memory.begin() + kind.end);
  const Addr room = memory.begin() + recipes_.Get(header).from_size;
  if (!next || !end || Addr(*end) < room || memory.end() < Addr(*end)) return std::nullopt;
  return Block{*Range<Addr>::FromTo(room, Addr(*end)), Addr(*next)};
}

// What it chains to; nullopt: it is none, and that is a problem.
std::optional<Addr> Tracer::GiveBlock(size_t chunk, const RegionKind& kind, TypeId header,
                                      Addr region, Label found_by) {
  const Range<Addr> memory = chunks_[chunk].payload;
  const Recipe& recipe = recipes_.Get(header);
  const auto block = BlockIn(chunk, kind, header);
  if (!block) {
    problems_.push_back(
        {memory.begin(), fmt::format("`{}` points to {}, which is no block of a region", *found_by,
                                     Where(chunks_[chunk]))});
    return std::nullopt;
  }
  typed_[chunk] = {&recipe, found_by};
  pieces_.AddBlock(chunk, {&kind, *Range<Addr>::FromTo(memory.begin(), block->room.begin()),
                           block->room, region});
  pending_.push_back({memory.begin(), &recipe, 1, 0, nullptr});
  return block->next;
}

void Tracer::FollowPiece(size_t chunk, uint64_t word, TypeId before, TypeId after,
                         const Pointed& pointed) {
  const Recipe& recipe = pointed.recipe != nullptr ? *pointed.recipe : recipes_.Get(before, after);
  const uint64_t count = pointed.count.value_or(1);
  const uint64_t size = count * recipe.from_size;
  const auto memory = Range<Addr>::FromSize(Addr(word), size);
  if (size == 0 || !memory) return;
  const Piece* other = nullptr;
  const Piece piece{*memory,         &recipe, count, pointed.spare, pointed.count.has_value(),
                    pointed.found_by};
  const auto verdict = pieces_.Add(*pieces_.BlockOf(chunk), piece, other);
  if (verdict == RegionPieces::Verdict::kNew) {
    pending_.push_back({Addr(word), &recipe, count - pointed.spare, 0, nullptr});
  } else if (verdict == RegionPieces::Verdict::kConflict &&
             !(recipe.identity && other->recipe->identity)) {
    const TypeTable& types = program_.types();
    problems_.push_back(
        {Addr(word),
         fmt::format("`{}` and `{}` disagree about the memory at {}, in a region: {} or {} "
                     "(annotation: pointee, or length)",
                     *other->found_by, *pointed.found_by, Hex(Addr(word)),
                     types.Describe(other->recipe->before), types.Describe(before))});
  }
}

// What lies between the pieces may hold pointers as well.
void Tracer::AddGaps() {
  const Label label = NewLabel("memory of a region without types");
  std::vector<std::byte> bytes;
  for (const auto& [chunk, block] : pieces_.blocks()) {
    for (const Range<Addr>& gap : pieces_.Gaps(block)) {
      bytes.resize(gap.size());
      if (!memory_.Read(gap.begin(), bytes)) continue;
      const uint64_t skip = (kWord - gap.begin().value() % kWord) % kWord;
      for (uint64_t at = skip; at + kWord <= bytes.size(); at += kWord) {
        uint64_t word;
        std::memcpy(&word, bytes.data() + at, kWord);
        FollowUntyped(word, label, false);
      }
    }
  }
}

void Tracer::AddPieces(ObjectGraph& graph) {
  for (const auto& [chunk, block] : pieces_.blocks()) {
    const Typed& header = typed_[chunk];
    graph.objects.push_back({block.header, header.recipe, 1, 0, header.found_by, RegionCall()});
    const auto unused = Range<Addr>::FromTo(block.room.end(), chunks_[chunk].payload.end());
    if (unused && !unused->empty()) graph.unused.push_back(*unused);
  }
  for (const auto& [at, piece] : pieces_.all()) {
    const RegionBlock& block = *BlockAt(at.value());
    const RegionCall call{block.kind->allocate, block.region, block.kind->size_first,
                          at == block.room.begin()};
    graph.objects.push_back(
        {piece.memory, piece.recipe, piece.count, piece.spare, piece.found_by, call});
    CheckPiece(piece, block);
  }
  for (const auto& [word, piece] : untyped_pieces_) {
    const RegionBlock& block = *BlockAt(word);
    if (!block.room.Contains(Addr(word)) || pieces_.At(Addr(word)) != nullptr) continue;
    graph.untyped.push_back(
        {pieces_.Unknown(block, Addr(word)), piece.found_by, true, true, false, piece.pointers});
  }
  for (const std::string& problem : regions_.problems()) problems_.push_back({Addr(), problem});
}

void Tracer::CheckPiece(const Piece& piece, const RegionBlock& block) {
  const Recipe& recipe = *piece.recipe;
  const auto wrong = [&](std::string text) {
    problems_.push_back({piece.memory.begin(), std::move(text)});
  };
  if (recipe.identity) {
    const TypeId whole = MayBePartOf(piece, block);
    if (whole == 0) return;
    return wrong(
        fmt::format("`{}` points into a region, to what may be part of a {}, which "
                    "changed and which nothing else leads to (annotation: pointee)",
                    *piece.found_by, program_.types().Describe(whole)));
  }
  const std::string name = program_.types().Describe(recipe.before);
  if (recipe.flexible) {
    wrong(
        fmt::format("{} changed, and `{}` points to one in a region, of which "
                    "nothing says how long it is",
                    name, *piece.found_by));
  } else if (recipe.to_size > recipe.from_size && block.region.IsNull()) {
    wrong(
        fmt::format("{} grows, and nothing leads from a {} to the block that `{}` "
                    "points into",
                    name, program_.types().Describe(block.kind->region), *piece.found_by));
  } else if (recipe.to_size > recipe.from_size && !StaysAsItIs(block.region)) {
    wrong(
        fmt::format("{} grows, and the {} that is to give out more for what `{}` points to is a "
                    "variable, or changes itself",
                    name, program_.types().Describe(block.kind->region), *piece.found_by));
  } else if (MayContinue(piece, block)) {
    wrong(
        fmt::format("{} changed, and what follows the one that `{}` points to may be "
                    "another (annotation: length of `{}`)",
                    name, *piece.found_by, *piece.found_by));
  }
}

// Whether what its allocating function changes in a region stays. What a variable or an object with
// a new layout becomes is settled before that is called.
bool Tracer::StaysAsItIs(Addr region) const {
  const size_t chunk = ChunkAt(region.value());
  if (chunk == kNone) return false;
  const Piece* piece = pieces_.At(region);
  const Recipe* recipe = piece != nullptr ? piece->recipe : typed_[chunk].recipe;
  return recipe != nullptr && recipe->identity;
}

const std::vector<Tracer::Part>& Tracer::PartsOf(TypeId type) {
  const auto [entry, is_new] = parts_.try_emplace(type);
  if (!is_new) return entry->second;
  for (const TypeId whole : recipes_.ChangedTypes()) {
    if (elsewhere_.contains(whole)) continue;
    for (uint64_t offset = 0; offset < program_.types()[whole].size; ++offset) {
      if (containers_.Holds(whole, type, offset)) entry->second.push_back({whole, offset});
    }
  }
  return entry->second;
}

// A type that changes, of which the piece may be a member: 0, if none fits what is there.
TypeId Tracer::MayBePartOf(const Piece& piece, const RegionBlock& block) {
  std::vector<std::byte> bytes;
  for (const Part& part : PartsOf(piece.recipe->before)) {
    const Recipe& recipe = recipes_.Get(part.whole);
    const Addr begin(piece.memory.begin().value() - part.offset);
    const auto memory = Range<Addr>::FromSize(begin, recipe.from_size);
    if (!memory || !block.room.Contains(*memory)) continue;
    if (!pieces_.MayHold({*memory, &recipe})) continue;
    bytes.resize(recipe.from_size);
    if (!memory_.Read(begin, bytes)) continue;
    if (IsPlausible(recipe, bytes, memory_.image().mappings(), recipes_)) return part.whole;
  }
  return 0;
}

// An array of which only the first element was seen.
bool Tracer::MayContinue(const Piece& piece, const RegionBlock& block) {
  if (piece.counted) return false;
  const Range<Addr> rest = pieces_.Unknown(block, piece.memory.end());
  if (rest.size() < piece.recipe->from_size) return false;
  std::vector<std::byte> bytes(piece.recipe->from_size);
  if (!memory_.Read(rest.begin(), bytes)) return false;
  const bool zeros = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
  return !zeros && IsPlausible(*piece.recipe, bytes, memory_.image().mappings(), recipes_);
}

}  // namespace mcr::mutator
