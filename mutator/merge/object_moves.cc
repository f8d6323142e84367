#include "mutator/merge/object_moves.h"

#include <algorithm>

namespace mcr::mutator {
namespace {

// Not canonical: no process has memory here.
constexpr Addr kPlaceholders(uint64_t{0x7000} << 48);
constexpr uint64_t kAlignment = 16;

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

bool IsPlaceholder(uint64_t word) { return word >> 48 == kPlaceholders.value() >> 48; }

ObjectMoves::ObjectMoves(const ObjectGraph& graph, const TypeTable& types) {
  Addr placeholder = kPlaceholders;
  for (const Object& object : graph.objects) {
    if (object.recipe->identity) continue;
    std::string& name = type_names_[object.recipe->before];
    if (name.empty()) name = types.Describe(object.recipe->before);
    ObjectMove move{&object, object.memory.begin(), NewSize(object), false, &name};
    if (move.to_size > object.memory.size()) {
      move.moves = true;
      move.to = placeholder;
      // Room for the address behind the last byte.
      placeholder = placeholder + (move.to_size / kAlignment + 1) * kAlignment;
    }
    moves_.push_back(move);
  }
  if (moves_.empty()) return;
  hull_ = *Range<Addr>::FromTo(moves_.front().object->memory.begin(),
                               moves_.back().object->memory.end() + 1);
}

const ObjectMove* ObjectMoves::Find(Addr at) const {
  const auto after = std::ranges::upper_bound(
      moves_, at, {}, [](const ObjectMove& move) { return move.object->memory.begin(); });
  if (after == moves_.begin()) return nullptr;
  const ObjectMove& move = *std::prev(after);
  return at < move.object->memory.end() ? &move : nullptr;
}

ObjectMoves::Landing ObjectMoves::Translate(uint64_t word, TypeId pointee) const {
  if (!hull_.Contains(Addr(word))) return {};
  const ObjectMove* move = Find(Addr(word));
  // One past the end is no other object's: malloc keeps its own word between two blocks.
  if (move == nullptr) move = Find(Addr(word - 1));
  if (move == nullptr) return {};
  const Recipe& recipe = *move->object->recipe;
  const uint64_t offset = word - move->object->memory.begin().value();
  if (recipe.flexible || recipe.from_size == 0) {
    const auto mapped = MapOffset(recipe, offset, pointee);
    if (!mapped) return {move, std::nullopt};
    return {move, (move->to + *mapped).value()};
  }
  const uint64_t index = offset / recipe.from_size;
  const auto mapped = MapOffset(recipe, offset % recipe.from_size, pointee);
  if (!mapped) return {move, std::nullopt};
  return {move, (move->to + index * recipe.to_size + *mapped).value()};
}

void ObjectMoves::AddTo(checkpoint::ProcessGraft& graft) const {
  for (const ObjectMove& move : moves_) {
    if (!move.moves) continue;
    graft.allocations.push_back({move.to, move.to_size});
    graft.freed.push_back(move.object->memory.begin());
  }
}

}  // namespace mcr::mutator
