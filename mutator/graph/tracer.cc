#include "mutator/graph/tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "mutator/graph/read_number.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kPage = 4096;

// What an annotation says has to be done to what is pointed to.
bool IsTold(const Recipe* recipe) { return recipe != nullptr && !recipe->identity; }

}  // namespace

Tracer::Tracer(const Snapshot& memory, const Program& program, Addr bias, RecipeBook& recipes,
               const std::vector<HeapChunk>& chunks)
    : memory_(memory),
      program_(program),
      bias_(bias),
      recipes_(recipes),
      chunks_(chunks),
      containers_(program.types()),
      allocation_types_(containers_, recipes),
      node_types_(program.types()),
      virtual_tables_(program, bias, memory),
      rules_(memory, program, bias, recipes),
      regions_(program, recipes),
      pieces_(containers_),
      elsewhere_(recipes.OldTypes(recipes.annotations().not_allocated())),
      typed_(chunks.size()) {
  elsewhere_.merge(recipes.OldTypes(recipes.annotations().typed()));
}

void Tracer::AddRoot(Addr at, const Recipe& recipe, const std::string& name) {
  pending_.push_back({at, &recipe, 1, 0, NewLabel(name)});
}

// A character, or characters.
bool Tracer::IsText(TypeId type) const {
  const TypeTable& types = program_.types();
  if (types[type].kind == TypeKind::kArray) type = types[type].target;
  return types[type].kind == TypeKind::kInteger && types[type].size == 1;
}

void Tracer::AddValue(std::span<const std::byte> value, TypeId before, const std::string& name) {
  const Recipe& recipe = recipes_.Get(before);
  bytes_at_ = Addr();
  if (recipe.has_pointers) TraceSteps(recipe, value, 0, NewLabel(name));
}

Tracer::Label Tracer::NewLabel(std::string text) { return &labels_.emplace_back(std::move(text)); }

void Tracer::AddLikely(uint64_t word, Label found_by) { FollowUntyped(word, found_by, false); }

size_t Tracer::ChunkAt(uint64_t word) const {
  const HeapChunk* chunk = FindChunk(chunks_, Addr(word));
  return chunk == nullptr || !chunk->in_use ? kNone : static_cast<size_t>(chunk - chunks_.data());
}

// malloc keeps a word of its own between two allocations: nothing begins behind the end of one.
bool Tracer::IsPastEnd(uint64_t word) const {
  const size_t before = ChunkAt(word - 1);
  return before != kNone && chunks_[before].payload.end() == Addr(word);
}

ObjectGraph Tracer::Finish() {
  do {
    TraceAll();
  } while (SettleInner());
  AddGaps();
  TraceUntyped();
  ObjectGraph graph;
  AddPieces(graph);
  for (size_t chunk = 0; chunk < typed_.size(); ++chunk) {
    if (!IsTyped(chunk) || pieces_.BlockOf(chunk) != nullptr) continue;
    const Typed& typed = typed_[chunk];
    const HeapChunk& memory = chunks_[chunk];
    const uint64_t count = typed.count ? *typed.count : CountValues(memory, *typed.recipe);
    graph.objects.push_back({memory.payload, typed.recipe, count, typed.spare, typed.found_by, {}});
  }
  std::ranges::sort(graph.objects, {}, [](const Object& object) { return object.memory.begin(); });
  std::ranges::sort(graph.unused);
  for (const auto& [chunk, untyped] : untyped_) {
    if (!texts_.contains(chunk)) graph.untyped.push_back(untyped);
  }
  std::ranges::sort(graph.untyped, {},
                    [](const UntypedObject& object) { return object.memory.begin(); });
  graph.problems = std::move(problems_);
  graph.labels = std::move(labels_);
  return graph;
}

// malloc rounds up: behind as many values as make an allocation of that size there may be more of
// them, or nothing. Where only zeros are, nothing is.
uint64_t Tracer::CountValues(const HeapChunk& memory, const Recipe& recipe) {
  if (recipe.flexible) return 1;
  const uint64_t size = std::max<uint64_t>(recipe.from_size, 1);
  const uint64_t room = memory.payload.size() / size;
  const uint64_t fewest = CountThatFits(memory.payload.size(), size, memory.mmapped);
  if (fewest == 0 || fewest == room) return room;
  bytes_.resize((room - fewest) * size);
  if (!memory_.Read(memory.payload.begin() + fewest * size, bytes_)) return room;
  const bool zeros = std::ranges::all_of(bytes_, [](std::byte b) { return b == std::byte{0}; });
  return zeros ? fewest : room;
}

void Tracer::TraceAll() {
  while (!pending_.empty()) {
    const Pending value = std::move(pending_.front());
    pending_.pop_front();
    TraceValue(value);
  }
}

void Tracer::TraceValue(const Pending& value) {
  const Recipe& recipe = *value.recipe;
  if (!recipe.has_pointers || recipe.from_size + value.room == 0) return;
  bytes_.resize(std::max(recipe.from_size * value.count, value.room));
  if (!memory_.Read(value.at, bytes_)) return;
  bytes_at_ = value.at;
  for (uint64_t i = 0; i < value.count; ++i) {
    TraceSteps(recipe, bytes_, i * recipe.from_size, value.name);
  }
  if (recipe.flexible) TraceFlexible(*recipe.flexible, bytes_, value.name);
}

void Tracer::TraceFlexible(const FlexibleArray& array, std::span<const std::byte> bytes,
                           Label name) {
  const uint64_t size = array.element->from_size;
  if (size == 0 || !array.element->has_pointers) return;
  for (uint64_t at = array.from; at + size <= bytes.size(); at += size) {
    TraceSteps(*array.element, bytes, at, name);
  }
}

void Tracer::TraceSteps(const Recipe& recipe, std::span<const std::byte> bytes, uint64_t offset,
                        Label name) {
  if (offset + recipe.from_size > bytes.size()) return;
  const TypeId around = std::exchange(node_, node_types_.Of(recipe.before, node_));
  const auto value = bytes.subspan(offset, recipe.from_size);
  const auto word_at = [&](uint64_t at) {
    uint64_t word = 0;
    std::memcpy(&word, value.data() + at, kWord);
    return word;
  };
  for (const Step& step : recipe.steps) {
    if (step.kind == Step::Kind::kPointer) {
      const Addr at = bytes_at_.IsNull() ? Addr() : bytes_at_ + offset;
      FollowPointer(step, word_at(step.from), recipe, value, at, name);
    } else if (step.kind == Step::Kind::kOpaque) {
      const Label field = LabelOf(step, program_.types()[recipe.before]);
      FollowOpaque(step, value, field != nullptr ? field : name);
    } else if (step.kind == Step::Kind::kNested && step.element->has_pointers) {
      const Type& owner = program_.types()[recipe.before];
      if (!bytes_at_.IsNull()) {
        FollowList(step, owner, bytes_at_ + offset + step.from);
        FollowContainer(step, owner, bytes_at_ + offset + step.from);
      }
      for (uint64_t i = 0; i < step.count; ++i) {
        TraceSteps(*step.element, bytes, offset + step.from + i * step.from_size, name);
      }
    } else if (step.kind == Step::Kind::kUnion) {
      uint64_t tag = 0;
      std::memcpy(&tag, value.data() + step.discriminator,
                  std::min<uint64_t>(step.discriminator_size, sizeof tag));
      const auto member = step.members.find(static_cast<int64_t>(tag));
      if (member != step.members.end()) {
        TraceSteps(*member->second, bytes, offset + step.from, name);
      }
    }
  }
  node_ = around;
}

Tracer::Label Tracer::LabelOf(const Step& step, const Type& owner) {
  const bool is_element = owner.kind == TypeKind::kPointer;  // of an array; that is in its name
  if (step.field.empty() || (owner.name.empty() && !is_element)) return nullptr;
  Label& label = step_labels_[&step];
  if (label == nullptr) label = NewLabel(is_element ? step.field : owner.name + "." + step.field);
  return label;
}

void Tracer::FollowPointer(const Step& step, uint64_t word, const Recipe& owner,
                           std::span<const std::byte> value, Addr at, Label name) {
  static const std::string kUnnamed = "an unnamed field";
  word &= ~step.tag_mask;
  if (word < kPage) return;
  const Type& type = program_.types()[owner.before];
  const Label field = LabelOf(step, type);
  const Label found_by = field != nullptr ? field : name != nullptr ? name : &kUnnamed;
  const auto rule = field != nullptr  ? rules_.OfField(type, step.field, value)
                    : name != nullptr ? rules_.OfVariable(*name)
                                      : std::nullopt;
  if (!rule && IsNode(word, step.before)) return Follow(word, node_, 0, found_by);
  const TypeId pointee = rule ? rule->type : step.before;
  if (rule && pointee == 0) return;
  Pointed pointed{.found_by = found_by,
                  .count = rules_.CountOf(type, step.field, value, pointee),
                  .owner = owner.before,
                  .owner_at = at};
  if (indexed_ != nullptr) pointed.recipe = indexed_->At(type, step.field);
  pointer_at_ = at.IsNull() ? at : at + step.from;
  Follow(word, pointee, rule ? recipes_.Counterpart(pointee) : step.after, pointed);
  pointer_at_ = Addr();
}

// Links lead to the container itself, too.
bool Tracer::IsNode(uint64_t word, TypeId pointee) const {
  if (node_ == 0 || !node_types_.IsBase(pointee)) return false;
  const size_t chunk = ChunkAt(word);
  return chunk != kNone && !IsTyped(chunk) && chunks_[chunk].payload.begin() == Addr(word);
}

TypeId Tracer::Complete(TypeId before) const {
  const TypeId definition = program_.types().Definition(before);
  return program_.types()[definition].is_declaration ? 0 : definition;
}

void Tracer::Follow(uint64_t word, TypeId before, TypeId after, const Pointed& pointed) {
  const Label found_by = pointed.found_by;
  if (word < kPage) return;
  const TypeTable& types = program_.types();
  const bool foreign = types[before].is_declaration;
  before = Complete(before);
  if (types[before].kind == TypeKind::kFunction) return;
  if (before == 0) return FollowUntyped(word, found_by, true, foreign);
  if (virtual_tables_.HasTable(before)) {
    if (const auto dynamic = virtual_tables_.ClassOf(Addr(word))) {
      word -= dynamic->to_top;
      before = dynamic->type;
      after = 0;
    }
  }
  if (after == 0 || recipes_.after()[after].is_declaration) after = recipes_.Counterpart(before);
  const size_t chunk = ChunkAt(word);
  if (chunk == kNone && IsPastEnd(word)) return FollowUntyped(word - 1, found_by, true);
  if (chunk == kNone && IsTold(pointed.recipe)) return RefuseTold(word, found_by);
  if (chunk == kNone) return FollowOutside(word, before, after, found_by);
  const uint64_t offset = word - chunks_[chunk].payload.begin().value();
  // A text: what it is in is known by others, if by anybody.
  if (types[before].kind == TypeKind::kInteger && IsText(before)) {
    const HeapChunk& memory = chunks_[chunk];
    const uint64_t length = pointed.count.value_or(0);
    const bool is_whole = offset == 0 && length != 0 &&
                          CountThatFits(memory.payload.size(), length, memory.mmapped) == 1;
    if (is_whole) texts_.insert(chunk);
    return;
  }
  if (FollowBlock(word, chunk, before, pointed)) return;
  if (pieces_.BlockOf(chunk) != nullptr) return FollowPiece(chunk, word, before, after, pointed);
  if (pointed.recipe != nullptr && offset == 0 && GiveAsTold(chunk, pointed)) return;
  if (IsTold(pointed.recipe) && (offset == 0 || IsTyped(chunk))) return RefuseTold(word, found_by);
  if (IsTyped(chunk)) return CheckInner(chunk, offset, before, found_by);
  if (offset != 0) {
    inner_.push_back(
        {chunk, offset, before, found_by, pointed.count, pointed.spare, pointed.recipe});
    return;
  }
  Claim(chunk, before, after, found_by);
}

// To what is in the list, if an annotation says that `head`, a field of `owner`, is one's.
void Tracer::FollowList(const Step& step, const Type& owner, Addr head) {
  constexpr int kMost = 1 << 20;
  const auto listed = rules_.ListAt(owner, step.field);
  if (!listed) return;
  const Label found_by = NewLabel(owner.name + "." + step.field);
  Addr at = head;
  for (int i = 0; i < kMost; ++i) {
    const auto word = memory_.ReadValue<uint64_t>(at + listed->neighbour);
    if (!word || *word < kPage || Addr(*word) == head) return;
    at = Addr(*word);
    Follow(*word - listed->link, listed->type, 0, found_by);
  }
}

// To the elements, if an annotation says that `container`, a field of `owner`, leads to some.
void Tracer::FollowContainer(const Step& step, const Type& owner, Addr container) {
  constexpr int kMost = 1 << 20;
  const auto contained = rules_.ContainerAt(owner, step.field, step.element->before);
  if (!contained) return;
  const Label found_by = NewLabel(owner.name + "." + step.field);
  const auto number_at = [&](Addr at, const PointeeRules::Number& number) {
    return ReadNumber(memory_, at + number.offset, number.size).value_or(0);
  };
  Addr part = container + contained->part;
  const uint64_t room = contained->room ? number_at(container, *contained->room) : 0;
  for (int i = 0; i < kMost; ++i) {
    const uint64_t count = number_at(part, contained->count);
    const uint64_t elements = number_at(part, contained->elements);
    const uint64_t all = std::max(room, count);
    const Pointed pointed{.found_by = found_by,
                          .count = all,
                          .spare = all - count,
                          .recipe = &recipes_.Get(contained->type)};
    if (all != 0) Follow(elements, contained->type, 0, pointed);
    const uint64_t next = contained->next ? number_at(part, *contained->next) : 0;
    if (next < kPage) return;
    part = Addr(next);
  }
}

void Tracer::FollowOpaque(const Step& step, std::span<const std::byte> value, Label found_by) {
  for (uint64_t at = 0; at + kWord <= step.from_size; at += kWord) {
    uint64_t word;
    std::memcpy(&word, value.data() + step.from + at, kWord);
    const TypeId pointee = PointeeInUnion(step.before, at, word);
    if (pointee == 0) {
      FollowUntyped(word, found_by, true);
    } else {
      Follow(word, pointee, 0, found_by);
    }
  }
}

// The word may be any member. It is the address of an allocation: then it is one that may point
// there. Which, is known if all have a type, and only one has one that the allocation may be of.
TypeId Tracer::PointeeInUnion(TypeId type, uint64_t offset, uint64_t word) {
  const TypeTable& types = program_.types();
  if (types[type].kind != TypeKind::kUnion) return 0;
  const size_t chunk = ChunkAt(word);
  if (chunk == kNone || chunks_[chunk].payload.begin() != Addr(word)) return 0;
  TypeId only = 0;
  for (const Member& member : types[type].members) {
    if (types[member.type].size < kWord || member.offset != offset) continue;
    const TypeKind kind = types[member.type].kind;
    const bool may_hold_pointers = kind != TypeKind::kInteger && kind != TypeKind::kFloat &&
                                   kind != TypeKind::kPointer && !IsText(member.type);
    if (may_hold_pointers) return 0;
    if (kind != TypeKind::kPointer) continue;
    const TypeId pointee = Complete(types[member.type].target);
    if (types[pointee].kind == TypeKind::kFunction) continue;
    if (pointee == 0 || IsText(pointee)) return 0;
    const bool may_be = !allocation_types_.AtStart(chunks_[chunk], pointee).types.empty();
    if (may_be && only != 0 && !containers_.Same(only, pointee)) return 0;
    if (may_be) only = pointee;
  }
  return only;
}

// Precise tracing comes first: what it types is not looked at as memory without types.
void Tracer::FollowUntyped(uint64_t word, Label found_by, bool precise, bool foreign) {
  if (ChunkAt(word) != kNone) likely_.push_back({word, found_by, precise, foreign, pointer_at_});
}

// Whatever the words of memory without types point to may be reached through it.
void Tracer::TraceUntyped() {
  const Label indirect = NewLabel("memory without types");
  while (!likely_.empty()) {
    const Likely likely = likely_.back();
    likely_.pop_back();
    const size_t chunk = ChunkAt(likely.word);
    if (likely.precise && BlockAt(likely.word) != nullptr) {
      UntypedPiece& piece = untyped_pieces_[likely.word];
      piece.found_by = likely.found_by;
      piece.pointers.push_back(likely.at);
    }
    if (IsTyped(chunk)) continue;
    const auto [entry, is_new] = untyped_.try_emplace(
        chunk, UntypedObject{chunks_[chunk].payload, likely.found_by, likely.precise});
    if (likely.precise) {
      if (!std::exchange(entry->second.precise, true)) entry->second.found_by = likely.found_by;
      entry->second.pointers.push_back(likely.at);
    }
    entry->second.foreign = entry->second.foreign || likely.foreign;
    if (!is_new) continue;
    bytes_.resize(chunks_[chunk].payload.size());
    if (!memory_.Read(chunks_[chunk].payload.begin(), bytes_)) continue;
    for (size_t at = 0; at + kWord <= bytes_.size(); at += kWord) {
      uint64_t word;
      std::memcpy(&word, bytes_.data() + at, kWord);
      FollowUntyped(word, indirect, false);
    }
  }
}

// Memory that no allocator of the C library gave: the variables, which are roots themselves,
// stacks, mappings of the program's own.
void Tracer::FollowOutside(uint64_t word, TypeId before, TypeId after, Label found_by) {
  const Mapping* mapping = FindMapping(memory_.image().mappings(), Addr(word));
  if (mapping == nullptr || !mapping->writable || mapping->path == "[stack]") return;
  if (mapping->IsFile() && !mapping->shared) return;  // a module's data
  if (word >= bias_.value() && program_.FindVariable(FileAddr(word - bias_.value()))) return;
  if (FindChunk(chunks_, Addr(word)) != nullptr) return;  // given back: a dangling pointer
  const Recipe& recipe = recipes_.Get(before, after);
  if (!outside_.try_emplace({Addr(word), &recipe}, true).second) return;
  if (!recipe.identity) {
    problems_.push_back(
        {Addr(word),
         fmt::format("{} changed, and `{}` points to one at {}, in memory that the C library's "
                     "allocator did not give (annotation: region)",
                     program_.types().Describe(before), *found_by, Hex(word))});
    return;
  }
  pending_.push_back({Addr(word), &recipe, 1, 0, nullptr});
}

std::string Tracer::Where(const HeapChunk& chunk) const {
  return fmt::format("{} bytes at {}", chunk.payload.size(), Hex(chunk.payload.begin()));
}

void Tracer::Claim(size_t chunk, TypeId before, TypeId after, Label found_by) {
  const auto& candidates = allocation_types_.AtStart(chunks_[chunk], before);
  if (candidates.types.size() == 1) {
    const TypeId whole = candidates.types.front();
    Give(chunk, whole == before ? recipes_.Get(before, after) : recipes_.Get(whole), found_by);
  } else if (candidates.matters) {
    inner_.push_back({chunk, 0, before, found_by, std::nullopt});  // others may know
  } else {
    FollowUntyped(chunks_[chunk].payload.begin().value(), found_by, true);
  }
}

// What an annotation says as a whole. False: something else has been said before.
bool Tracer::GiveAsTold(size_t chunk, const Pointed& pointed) {
  if (IsTyped(chunk) && typed_[chunk].recipe->before != pointed.recipe->before) return false;
  const uint64_t count = pointed.count.value_or(1);
  const uint64_t size = std::max<uint64_t>(pointed.recipe->from_size, 1);
  if (chunks_[chunk].payload.size() / size < count) return false;
  const bool is_known = IsTyped(chunk);
  typed_[chunk] = {pointed.recipe, pointed.found_by, count, pointed.spare};
  const Addr begin = chunks_[chunk].payload.begin();
  if (!is_known) pending_.push_back({begin, pointed.recipe, count - pointed.spare, 0, nullptr});
  return true;
}

void Tracer::Give(size_t chunk, const Recipe& recipe, Label found_by) {
  typed_[chunk] = {&recipe, found_by};
  const HeapChunk& memory = chunks_[chunk];
  const uint64_t size = std::max<uint64_t>(recipe.from_size, 1);
  const uint64_t count = recipe.flexible ? 1 : memory.payload.size() / size;
  pending_.push_back({memory.payload.begin(), &recipe, count,
                      recipe.flexible ? memory.payload.size() : 0, nullptr});
}

// A second pointer to what has a type already: it says the same, or it says more, or something is
// wrong.
void Tracer::CheckInner(size_t chunk, uint64_t offset, TypeId before, Label found_by) {
  Typed& typed = typed_[chunk];
  const Recipe& recipe = *typed.recipe;
  const uint64_t size = std::max<uint64_t>(recipe.from_size, 1);
  const uint64_t inside = recipe.flexible || offset < size ? offset : offset % size;
  if (containers_.Holds(recipe.before, before, inside)) return;
  const Recipe& other = recipes_.Get(before);
  if (offset == 0 && containers_.Holds(before, recipe.before, 0)) {
    const uint64_t usable = chunks_[chunk].payload.size();
    const bool fits = other.flexible ? usable >= other.from_size
                                     : CountThatFits(usable, other.from_size, false) != 0;
    if (fits) return Give(chunk, other, found_by);
  }
  if (recipe.identity && other.identity) return;
  const TypeTable& types = program_.types();
  problems_.push_back(
      {chunks_[chunk].payload.begin(),
       fmt::format("`{}` and `{}` disagree about {}: {} or {} (annotation: pointee, or region)",
                   *typed.found_by, *found_by, Where(chunks_[chunk]), types.Describe(recipe.before),
                   types.Describe(before))});
}

// Pointers into what no pointer to its beginning has typed: the only struct that has such a member
// there, and is of that size, is what it is. One that is settled may lead to others.
bool Tracer::SettleInner() {
  std::vector<Inner> unknown;
  for (const Inner& each : std::exchange(inner_, {})) {
    if (pieces_.BlockOf(each.chunk) != nullptr) {
      const uint64_t word = chunks_[each.chunk].payload.begin().value() + each.offset;
      Follow(word, each.before, 0,
             Pointed{.found_by = each.found_by,
                     .count = each.count,
                     .spare = each.spare,
                     .recipe = each.recipe});
      continue;
    }
    if (IsTyped(each.chunk)) {
      const uint64_t word = chunks_[each.chunk].payload.begin().value() + each.offset;
      if (IsTold(each.recipe)) {
        RefuseTold(word, each.found_by);
      } else {
        CheckInner(each.chunk, each.offset, each.before, each.found_by);
      }
      continue;
    }
    const HeapChunk& chunk = chunks_[each.chunk];
    const auto candidates = each.offset == 0
                                ? allocation_types_.AtStart(chunk, each.before)
                                : allocation_types_.Inside(chunk, each.offset, each.before);
    if (candidates.types.size() == 1 && !IsTold(each.recipe)) {
      Give(each.chunk, recipes_.Get(candidates.types.front()), each.found_by);
    } else if (FollowIntoBlock(each)) {
      continue;
    } else if (candidates.matters || IsTold(each.recipe)) {
      unknown.push_back(each);
    } else {
      FollowUntyped(chunk.payload.begin().value(), each.found_by, true);
    }
  }
  if (pending_.empty() && inner_.empty()) {
    for (const Inner& each : unknown) RefuseInner(each);
  } else {
    std::ranges::move(unknown, std::back_inserter(inner_));
  }
  return !pending_.empty() || !inner_.empty();
}

void Tracer::RefuseTold(uint64_t word, Label found_by) {
  problems_.push_back(
      {Addr(word), fmt::format("`{}` points to {}, where nothing can be as an annotation says that "
                               "it is (annotation: container, or indexed)",
                               *found_by, Hex(word))});
}

void Tracer::RefuseInner(const Inner& inner) {
  const HeapChunk& chunk = chunks_[inner.chunk];
  const std::string pointee = program_.types().Describe(inner.before);
  problems_.push_back(
      {chunk.payload.begin(),
       inner.offset == 0
           ? fmt::format("`{}` points to {}, which may hold {} different types around {} "
                         "(annotation: pointee)",
                         *inner.found_by, Where(chunk),
                         allocation_types_.AtStart(chunk, inner.before).types.size(), pointee)
           : fmt::format(
                 "`{}` points to a {} in the middle of {}, of which nothing says what it is ({} "
                 "types could be; annotation: pointee, or region)",
                 *inner.found_by, pointee, Where(chunk),
                 allocation_types_.Inside(chunk, inner.offset, inner.before).types.size())});
}

}  // namespace mcr::mutator
