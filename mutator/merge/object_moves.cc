#include "mutator/merge/object_moves.h"

#include <algorithm>

#include "mutator/debuginfo/sub_objects.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kAlignment = 16;
const std::string kBlock = "block of memory, which the new version's start lays out otherwise, and";

// In the new version. As many values as there may be: malloc rounds up, so that there may be fewer.
uint64_t NewSize(const Object& object) {
  const Recipe& recipe = *object.recipe;
  if (!recipe.flexible) return object.count * recipe.to_size;
  const FlexibleArray& array = *recipe.flexible;
  const uint64_t room = object.memory.size();
  const uint64_t size = array.element->from_size;
  const uint64_t elements = size == 0 || room < array.from ? 0 : (room - array.from) / size;
  return std::max(recipe.to_size, array.to + elements * array.element->to_size);
}

}  // namespace

bool IsPlaceholder(uint64_t word) { return word >> 48 == kFirstPlaceholder.value() >> 48; }

// Room for the address behind the last byte.
Addr ObjectMoves::PlaceholderAfter(Addr placeholder, uint64_t size) {
  return placeholder + (size / kAlignment + 1) * kAlignment;
}

ObjectMoves::ObjectMoves(const ObjectGraph& graph, const TypeTable& types, Addr bias,
                         RelaidMemory* relaid)
    : types_(&types), relaid_(relaid), bias_(bias) {
  for (const Object& object : graph.objects) {
    if (object.recipe->identity) continue;
    if (relaid != nullptr && relaid->Holds(object.memory.begin())) continue;
    std::string& name = type_names_[object.recipe->before];
    if (name.empty()) name = types.Describe(object.recipe->before);
    ObjectMove move{&object, object.memory.begin(), NewSize(object), false, &name};
    if (move.to_size > object.memory.size()) {
      move.moves = true;
      move.to = free_placeholder_;
      free_placeholder_ = PlaceholderAfter(move.to, move.to_size);
    }
    moves_.push_back(move);
  }
  if (relaid != nullptr) AddBlocks();
  for (const auto* all : {&moves_, &blocks_}) {
    if (all->empty()) continue;
    const auto range = *Range<Addr>::FromTo(all->front().object->memory.begin(),
                                            all->back().object->memory.end() + 1);
    hull_ = hull_.empty() ? range
                          : *Range<Addr>::FromTo(std::min(hull_.begin(), range.begin()),
                                                 std::max(hull_.end(), range.end()));
  }
}

void ObjectMoves::AddBlocks() {
  for (const ChunkPair& block : relaid_->blocks()) block_memory_.push_back({block.live});
  for (const Object& block : block_memory_) {
    blocks_.push_back({&block, block.memory.begin(), block.memory.size(), true, &kBlock});
  }
  for (RelaidMemory::Copy& copy : relaid_->copies()) {
    if (copy.in_place) continue;
    copy.to = free_placeholder_;
    free_placeholder_ = PlaceholderAfter(free_placeholder_, copy.next.size());
  }
}

const ObjectMove* ObjectMoves::Find(Addr at) const {
  const ObjectMove* block = FindBlock(at);
  return block != nullptr ? block : FindObject(at);
}

// Of what is in there, some objects stay.
const ObjectMove* ObjectMoves::FindBlock(Addr at) const {
  if (relaid_ == nullptr || !relaid_->Holds(at)) return nullptr;
  const auto after = std::ranges::upper_bound(
      blocks_, at, {}, [](const ObjectMove& move) { return move.object->memory.begin(); });
  return &*std::prev(after);
}

const ObjectMove* ObjectMoves::FindObject(Addr at) const {
  const auto after = std::ranges::upper_bound(
      moves_, at, {}, [](const ObjectMove& move) { return move.object->memory.begin(); });
  if (after == moves_.begin()) return nullptr;
  const ObjectMove& move = *std::prev(after);
  return at < move.object->memory.end() ? &move : nullptr;
}

ObjectMoves::Landing ObjectMoves::Translate(uint64_t word, TypeId pointee) const {
  if (!hull_.Contains(Addr(word))) return {};
  if (const ObjectMove* block = FindBlock(Addr(word))) {
    const auto to = relaid_->Translate(Addr(word));
    return {block, to ? std::optional(to->value()) : std::nullopt};
  }
  const ObjectMove* move = FindObject(Addr(word));
  if (move == nullptr) {
    const Landing behind = BehindEnd(Addr(word), pointee);
    if (behind.move == nullptr || !behind.to) return behind;
    move = behind.move;
  }
  const Recipe& recipe = *move->object->recipe;
  const uint64_t offset = word - move->object->memory.begin().value();
  if (offset == 0 && MayBeEnd(*move->object, pointee)) return {move, std::nullopt, true};
  if (recipe.flexible || recipe.from_size == 0) {
    const auto mapped = MapOffset(recipe, offset, pointee);
    if (!mapped) return {move, std::nullopt};
    return {move, (move->to + *mapped).value()};
  }
  const uint64_t index = offset / recipe.from_size;
  const auto mapped = MapOffset(recipe, offset % recipe.from_size, pointee);
  if (!mapped && pointee == 0 && IsNowhere(recipe, offset % recipe.from_size)) return {};
  if (!mapped) return {move, std::nullopt};
  return {move, (move->to + index * recipe.to_size + *mapped).value()};
}

// In the middle of a number, or between two fields: where no pointer points to.
bool ObjectMoves::IsNowhere(const Recipe& recipe, uint64_t offset) const {
  return recipe.indexed.empty() && !BeginsOrEndsAt(*types_, recipe.before, offset);
}

// A pointer to characters, to where something else begins, and in a region something may end.
bool ObjectMoves::MayBeEnd(const Object& object, TypeId pointee) const {
  const Type& type = (*types_)[pointee];
  const bool is_text = type.kind == TypeKind::kInteger && type.size == 1;
  return is_text && object.region && !object.region->is_first;
}

// malloc keeps its own word between two blocks, so that one past the end is no other object's. In a
// region it may well be, unless the pointer is one to a value of the object's own type.
ObjectMoves::Landing ObjectMoves::BehindEnd(Addr at, TypeId pointee) const {
  const ObjectMove* move = FindObject(Addr(at.value() - 1));
  if (move == nullptr) return {};
  if (!move->object->region) return {move, move->to.value()};
  if (pointee == 0 || pointee != move->object->recipe->before) return {};
  return {move, std::nullopt};
}

void ObjectMoves::AddTo(checkpoint::ProcessGraft& graft) const {
  for (const ObjectMove& move : moves_) {
    if (!move.moves) continue;
    checkpoint::Allocation allocation{.placeholder = move.to, .size = move.to_size};
    if (const auto& region = move.object->region) {
      allocation.allocate = bias_ + region->allocate.value();
      allocation.region = region->region;
      allocation.size_first = region->size_first;
    } else {
      graft.freed.push_back(move.object->memory.begin());
    }
    graft.allocations.push_back(allocation);
  }
}

}  // namespace mcr::mutator
