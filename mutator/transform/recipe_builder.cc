#include "mutator/transform/recipe_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace mcr::mutator {
namespace {

using Kind = Step::Kind;

constexpr uint64_t kWord = 8;

bool IsNumber(const Type& type) {
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kEnum;
}

bool IsPointer(const Type& type) { return type.kind == TypeKind::kPointer; }

bool IsCharacter(const Type& type) {
  return type.kind == TypeKind::kInteger && type.size == 1 &&
         type.name.find("char") != std::string::npos;
}

bool IsAnnotated(const Type& owner, const std::string& field,
                 const google::protobuf::RepeatedPtrField<std::string>& annotated) {
  return std::ranges::any_of(
      annotated, [&](const std::string& name) { return RecipeBook::IsField(owner, field, name); });
}

bool IsFlexible(const Type& type) { return type.kind == TypeKind::kArray && type.count == 0; }

// The new bytes are the old ones, and nothing but pointers is to be looked at.
bool IsIdentity(const Recipe& recipe) {
  if (recipe.from_size != recipe.to_size || !recipe.problem.empty()) return false;
  if (!recipe.dropped.empty() || !recipe.added.empty()) return false;
  if (recipe.flexible) {
    const FlexibleArray& array = *recipe.flexible;
    if (array.from != array.to || !array.element->identity) return false;
  }
  return std::ranges::all_of(recipe.steps, [](const Step& step) {
    if (step.from != step.to || step.from_size != step.to_size) return false;
    switch (step.kind) {
      case Kind::kBytes:
      case Kind::kOpaque:
      case Kind::kPointer:
        return true;
      case Kind::kBits:
        return step.from_bit == step.to_bit && step.from_bits == step.to_bits &&
               step.from_signed == step.to_signed;
      case Kind::kNested:
        return step.element->identity;
      default:
        return false;
    }
  });
}

bool HasPointers(const Recipe& recipe) {
  if (recipe.flexible && recipe.flexible->element->has_pointers) return true;
  return std::ranges::any_of(recipe.steps, [](const Step& step) {
    if (step.kind == Kind::kPointer || step.kind == Kind::kOpaque) return true;
    if (step.kind == Kind::kUnion) return true;
    return step.kind == Kind::kNested && step.element->has_pointers;
  });
}

}  // namespace

void RecipeBuilder::Problem(Recipe& recipe, std::string what) {
  if (recipe.problem.empty()) recipe.problem = std::move(what);
}

std::string RecipeBuilder::NameOf(const Step& step) const {
  if (step.field.empty()) return "";
  const std::string& owner = before_[owner_].name;
  return "field `" + (owner.empty() ? step.field : owner + "." + step.field) + "`: ";
}

Recipe RecipeBuilder::Build(TypeId before, TypeId after) {
  Recipe recipe;
  recipe.before = before;
  recipe.after = after;
  const Type& from = before_[before];
  const Type& to = after_[after];
  recipe.from_size = from.size;
  recipe.to_size = to.size;
  if (after == 0 && before != 0) {
    Problem(recipe, fmt::format("{} is not in the new version (annotation: rename)",
                                before_.Describe(before)));
    return recipe;
  }
  if (from.kind == TypeKind::kArray) recipe.from_size = before_[from.target].size * from.count;
  if (to.kind == TypeKind::kArray) recipe.to_size = after_[to.target].size * to.count;
  if (from.kind == TypeKind::kStruct && to.kind == TypeKind::kStruct) {
    AddRecord(recipe);
  } else {
    Step whole;
    whole.from_size = recipe.from_size;
    whole.to_size = recipe.to_size;
    AddValue(before, after, whole, recipe);
  }
  std::ranges::stable_sort(recipe.steps, {}, &Step::from);
  recipe.identity = IsIdentity(recipe);
  recipe.has_pointers = HasPointers(recipe);
  return recipe;
}

void RecipeBuilder::AddRecord(Recipe& recipe) {
  owner_ = recipe.before;
  const Type& before = before_[recipe.before];
  const Type& after = after_[recipe.after];
  if (before.is_declaration || after.is_declaration) {
    return Problem(recipe, before_.Describe(recipe.before) + " is only declared, not defined");
  }
  for (size_t i = 0; i < before.members.size(); ++i) {
    const Member& from = before.members[i];
    const Member* to = Counterpart(before, i, after);
    if (to == nullptr) {
      recipe.dropped.push_back(from.name);
      AddZero(from, recipe);
    } else if (IsFlexible(before_[from.type]) && IsFlexible(after_[to->type])) {
      AddFlexible(from, *to, recipe);
    } else {
      Add(from, *to, recipe);
    }
  }
  for (const Member& to : after.members) {
    const bool known = std::ranges::any_of(before.members, [&](const Member& from) {
      const auto index = static_cast<size_t>(&from - before.members.data());
      return Counterpart(before, index, after) == &to;
    });
    if (known) continue;
    recipe.added.push_back(to.name);
    AddInitial(to, recipe);
  }
}

// A field that must not have a value, if an annotation says so.
void RecipeBuilder::AddZero(const Member& from, Recipe& recipe) {
  const Type& owner = before_[recipe.before];
  if (!IsAnnotated(owner, from.name, book_.annotations().drop_zero())) return;
  Step step;
  step.kind = Kind::kZero;
  step.from = from.offset;
  step.from_size = before_[from.type].size;
  step.field = from.name;
  step.reason = NameOf(step) +
                "it has a value, and an annotation says that it has none "
                "(annotation: drop_zero)";
  recipe.steps.push_back(std::move(step));
}

void RecipeBuilder::AddInitial(const Member& to, Recipe& recipe) {
  constexpr std::string_view kOldField = "old:";
  for (const profiles::InitialValue& initial : book_.annotations().initial()) {
    if (!RecipeBook::IsField(after_[recipe.after], to.name, initial.name())) continue;
    if (initial.value().starts_with(kOldField)) {
      const auto& members = before_[recipe.before].members;
      const auto from =
          std::ranges::find(members, initial.value().substr(kOldField.size()), &Member::name);
      if (from != members.end()) return Add(*from, to, recipe);
    } else if (const auto step = InitialStep(to, initial.value())) {
      recipe.steps.push_back(*step);
      return;
    }
    return Problem(recipe, fmt::format("the annotation of `{}` says `{}`, which is neither a "
                                       "number, an enumerator, a function nor a field of the old "
                                       "version",
                                       initial.name(), initial.value()));
  }
}

std::optional<Step> RecipeBuilder::InitialStep(const Member& to, const std::string& value) const {
  Step step;
  step.kind = Kind::kConstant;
  step.to = to.offset;
  step.to_size = after_[to.type].size;
  step.count = 0;
  if (const auto number = book_.NumberOf(after_[to.type], value)) {
    step.constant = *number;
    return step;
  }
  const auto function = IsPointer(after_[to.type]) ? book_.NewFunction(value) : std::nullopt;
  if (!function) return std::nullopt;
  step.kind = Kind::kFunction;
  step.constant = static_cast<int64_t>(function->value());
  return step;
}

void RecipeBuilder::Add(const Member& from, const Member& to, Recipe& recipe) {
  Step step;
  step.from = from.offset;
  step.to = to.offset;
  step.from_size = before_[from.type].size;
  step.to_size = after_[to.type].size;
  step.field = from.name;
  if (from.bit_size != 0 || to.bit_size != 0) return AddBits(from, to, step, recipe);
  for (const profiles::Container& container : book_.annotations().container()) {
    if (!IsAnnotated(before_[recipe.before], from.name, container.field())) continue;
    return AddNested(book_.GetContainer(container, from.type, to.type), step, recipe);
  }
  AddValue(from.type, to.type, step, recipe);
}

Recipe RecipeBuilder::BuildContainer(const profiles::Container& annotation, TypeId before,
                                     TypeId after) {
  Recipe recipe = book_.Get(before, after);
  const Type& type = before_[before];
  const TypeId element = book_.OldType(annotation.of());
  const TypeId counterpart = book_.Counterpart(element);
  if (!RecipeBook::IsNamed(type, annotation.type()) || element == 0 || counterpart == 0) {
    Problem(recipe, fmt::format("the annotation says that it is a {} of {}, and it is a {}",
                                annotation.type(), annotation.of(), before_.Describe(before)));
    return recipe;
  }
  const auto size = std::ranges::find_if(recipe.steps, [&](const Step& step) {
    return !annotation.size().empty() && step.field == annotation.size();
  });
  if (size != recipe.steps.end()) FollowSize(element, counterpart, *size);
  recipe.identity = IsIdentity(recipe);
  return recipe;
}

void RecipeBuilder::AddBits(const Member& from, const Member& to, Step step, Recipe& recipe) {
  const Type& before = before_[from.type];
  const Type& after = after_[to.type];
  if (!IsNumber(before) || !IsNumber(after)) {
    return Problem(recipe, fmt::format("field `{}` became something else", from.name));
  }
  step.kind = Kind::kBits;
  step.from_bit = from.bit_offset;
  step.to_bit = to.bit_offset;
  step.from_bits = from.bit_size != 0 ? from.bit_size : static_cast<uint32_t>(before.size * 8);
  step.to_bits = to.bit_size != 0 ? to.bit_size : static_cast<uint32_t>(after.size * 8);
  step.from_size = (step.from_bit + step.from_bits + 7) / 8;
  step.to_size = (step.to_bit + step.to_bits + 7) / 8;
  step.from_signed = before.is_signed;
  step.to_signed = after.is_signed;
  if (before.kind == TypeKind::kEnum && !book_.Get(from.type, to.type).identity) {
    return Problem(
        recipe, fmt::format("bit-field `{}`: {} changed", from.name, before_.Describe(from.type)));
  }
  recipe.steps.push_back(std::move(step));
}

void RecipeBuilder::AddValue(TypeId before, TypeId after, Step step, Recipe& recipe) {
  const Type& from = before_[before];
  const Type& to = after_[after];
  step.before = before;
  step.after = after;
  step.from_signed = from.is_signed;
  step.to_signed = to.is_signed;
  if (AddTagged(step, recipe) || AddCopy(step, recipe) || AddSizeOf(step, recipe)) return;
  if (from.kind == TypeKind::kEnum && to.kind == TypeKind::kEnum) {
    return AddEnum(before, after, std::move(step), recipe);
  }
  if (IsNumber(from) && IsNumber(to)) {
    const bool same = from.size == to.size && from.is_signed == to.is_signed;
    step.kind = same ? Kind::kBytes : Kind::kInteger;
  } else if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kFloat) {
    step.kind = from.size == to.size ? Kind::kBytes : Kind::kFloat;
  } else if (IsPointer(from) && IsPointer(to)) {
    step.kind = Kind::kPointer;
    step.before = from.target;
    step.after = to.target;
    step.first = FirstOf(step.field);
  } else if ((IsPointer(from) && IsNumber(to) && to.size == kWord) ||
             (IsNumber(from) && IsPointer(to) && from.size == kWord)) {
    step.kind = Kind::kOpaque;
  } else if (from.kind == TypeKind::kArray && to.kind == TypeKind::kArray) {
    return AddArray(before, after, std::move(step), recipe);
  } else if (from.kind == TypeKind::kStruct && to.kind == TypeKind::kStruct) {
    return AddNested(book_.Get(before, after), std::move(step), recipe);
  } else if (from.kind == TypeKind::kUnion && to.kind == TypeKind::kUnion) {
    return AddUnion(before, after, std::move(step), recipe);
  } else if (from.kind == TypeKind::kMemberPointer && to.kind == TypeKind::kMemberPointer) {
    step.kind = Kind::kOpaque;
  } else if (from.kind != to.kind || from.size != to.size) {
    step.kind = Kind::kElse;
    step.reason = fmt::format("{}{} became {} (annotation: drop_zero, or drop with initial)",
                              NameOf(step), before_.Describe(before), after_.Describe(after));
  }
  recipe.steps.push_back(std::move(step));
}

// If the field of the struct whose fields are being added is the end of an array.
std::optional<uint64_t> RecipeBuilder::FirstOf(const std::string& field) const {
  for (const profiles::Length& annotation : book_.annotations().length()) {
    if (annotation.end().empty() || annotation.end() != field) continue;
    const auto first = std::ranges::find_if(before_[owner_].members, [&](const Member& member) {
      return RecipeBook::IsField(before_[owner_], member.name, annotation.field());
    });
    if (first != before_[owner_].members.end()) return first->offset;
  }
  return std::nullopt;
}

bool RecipeBuilder::AddTagged(Step step, Recipe& recipe) {
  for (const profiles::TaggedPointer& annotation : book_.annotations().tagged_pointer()) {
    if (!RecipeBook::IsField(before_[owner_], step.field, annotation.field())) continue;
    if (AddAddress(annotation, step, recipe)) return true;
  }
  return false;
}

bool RecipeBuilder::AddAddress(const profiles::TaggedPointer& annotation, Step step,
                               Recipe& recipe) {
  if (step.from_size != kWord || step.to_size != kWord) return false;
  step.kind = Kind::kPointer;
  step.tag_mask = annotation.tag_mask();
  step.before = book_.OldType(annotation.type());
  step.after = book_.Counterpart(step.before);
  recipe.steps.push_back(std::move(step));
  return true;
}

Recipe RecipeBuilder::BuildTagged(const profiles::TaggedPointer& annotation, TypeId before,
                                  TypeId after) {
  Recipe recipe;
  recipe.before = before;
  recipe.after = after;
  Step whole;
  whole.from_size = recipe.from_size = before_[before].size;
  whole.to_size = recipe.to_size = after_[after].size;
  if (!AddAddress(annotation, whole, recipe)) {
    Problem(recipe, fmt::format("the annotation of `{}` says that it holds an address, which "
                                "takes {} bytes in both versions",
                                annotation.field(), kWord));
  }
  recipe.identity = IsIdentity(recipe);
  recipe.has_pointers = HasPointers(recipe);
  return recipe;
}

bool RecipeBuilder::AddCopy(Step step, Recipe& recipe) {
  if (!IsAnnotated(before_[owner_], step.field, book_.annotations().copy())) return false;
  step.kind = Kind::kBytes;
  step.copied = true;
  step.from_size = step.to_size = std::min(step.from_size, step.to_size);
  recipe.steps.push_back(std::move(step));
  return true;
}

// A number that holds the size of an array's elements.
bool RecipeBuilder::AddSizeOf(Step step, Recipe& recipe) {
  for (const profiles::Length& annotation : book_.annotations().length()) {
    const std::string& array = annotation.field();
    const std::string field = array.substr(0, array.rfind('.') + 1) + annotation.size_of();
    if (annotation.size_of().empty() || !IsNumber(before_[step.before]) ||
        !IsNumber(after_[step.after]) || !RecipeBook::IsField(before_[owner_], step.field, field)) {
      continue;
    }
    const TypeId element = ElementOf(array);
    const TypeId counterpart = book_.Counterpart(element);
    if (element == 0 || counterpart == 0) {
      Problem(recipe, fmt::format("{}nothing says what `{}` points to (annotation: pointee)",
                                  NameOf(step), array));
      return true;
    }
    if (!FollowSize(element, counterpart, step)) return false;
    recipe.steps.push_back(std::move(step));
    return true;
  }
  return false;
}

// Whether there is anything to follow.
bool RecipeBuilder::FollowSize(TypeId element, TypeId counterpart, Step& step) const {
  const auto size = static_cast<int64_t>(before_[element].size);
  const auto new_size = static_cast<int64_t>(after_[counterpart].size);
  if (size == new_size) return false;
  step.kind = Kind::kSize;
  step.enumerators = {{0, 0}, {size, new_size}};
  return true;
}

// What a field of the struct whose fields are being added points to.
TypeId RecipeBuilder::ElementOf(const std::string& annotated) const {
  for (const profiles::Pointee& pointee : book_.annotations().pointee()) {
    if (pointee.field() == annotated && pointee.if_field().empty()) {
      return book_.OldType(pointee.type());
    }
  }
  const auto& members = before_[owner_].members;
  const auto member =
      std::ranges::find(members, annotated.substr(annotated.rfind('.') + 1), &Member::name);
  return member == members.end() || !IsPointer(before_[member->type])
             ? 0
             : before_[member->type].target;
}

void RecipeBuilder::AddEnum(TypeId before, TypeId after, Step step, Recipe& recipe) {
  const Type& from = before_[before];
  const Type& to = after_[after];
  bool same = from.size == to.size;
  std::string gone;
  for (const Enumerator& old : from.enumerators) {
    const auto now = std::ranges::find(to.enumerators, old.name, &Enumerator::name);
    if (now == to.enumerators.end()) {
      same = false;
      gone += fmt::format("{}`{}`", gone.empty() ? "" : ", ", old.name);
      continue;
    }
    same = same && now->value == old.value;
    step.enumerators.emplace(old.value, now->value);
  }
  step.kind = same ? Kind::kBytes : Kind::kEnum;
  if (same) step.enumerators.clear();
  if (!same) step.reason = "no enumerator of both versions";
  if (!gone.empty()) step.reason += fmt::format(" (gone: {})", gone);
  recipe.steps.push_back(std::move(step));
}

void RecipeBuilder::AddArray(TypeId before, TypeId after, Step step, Recipe& recipe) {
  const Type& from = before_[before];
  const Type& to = after_[after];
  const Recipe& element = book_.Get(from.target, to.target);
  step.from_size = element.from_size;
  step.to_size = element.to_size;
  step.count = std::min(from.count, to.count);
  if (to.count < from.count && IsCharacter(before_[from.target]) && element.identity) {
    step.kind = Kind::kText;
    step.from_size = from.count;
    step.to_size = to.count;
    step.count = 1;
    recipe.steps.push_back(std::move(step));
    return;
  }
  if (to.count < from.count) {
    recipe.dropped.push_back(fmt::format("{}[{}..{}]", step.field, to.count, from.count - 1));
  } else if (to.count > from.count) {
    recipe.added.push_back(fmt::format("{}[{}..{}]", step.field, from.count, to.count - 1));
  }
  AddNested(element, std::move(step), recipe);
}

void RecipeBuilder::AddNested(const Recipe& element, Step step, Recipe& recipe) {
  if (!element.problem.empty()) {
    Problem(recipe, NameOf(step) + element.problem);
  }
  // An empty base class shares its place with a member that is not.
  if (element.identity && element.steps.empty() && !element.flexible) return;
  const bool plain = element.identity && !element.has_pointers;
  step.kind = Kind::kNested;
  step.element = &element;
  if (plain) {
    step.kind = Kind::kBytes;
    step.element = nullptr;
    step.from_size = step.to_size = element.from_size * step.count;
    step.count = 1;
  }
  if (step.from_size != 0) recipe.steps.push_back(std::move(step));
}

void RecipeBuilder::AddUnion(TypeId before, TypeId after, Step step, Recipe& recipe) {
  const Type& from = before_[before];
  const Type& to = after_[after];
  if (AddCases(from, to, step, recipe)) return;
  if (!SameUnion(from, to)) {
    return Problem(recipe,
                   fmt::format("{}{} changed, and nothing says which member is valid (annotation: "
                               "discriminator)",
                               NameOf(step), before_.Describe(before)));
  }
  step.kind = Kind::kOpaque;
  if (step.to_size != step.from_size) recipe.added.push_back(step.field);
  step.to_size = step.from_size;
  recipe.steps.push_back(std::move(step));
}

// Every old member is still there as it was; new ones may have come.
bool RecipeBuilder::SameUnion(const Type& before, const Type& after) {
  if (after.size < before.size) return false;
  for (size_t i = 0; i < before.members.size(); ++i) {
    const Member* to = Counterpart(before, i, after);
    if (to == nullptr) return false;
    if (before.members[i].bit_size != to->bit_size) return false;
    if (!book_.Get(before.members[i].type, to->type).identity) return false;
  }
  return true;
}

bool RecipeBuilder::AddCases(const Type& before, const Type& after, Step step, Recipe& recipe) {
  const Type& owner = before_[owner_];
  for (const profiles::Discriminator& annotation : book_.annotations().discriminator()) {
    if (!RecipeBook::IsField(owner, step.field, annotation.union_field())) continue;
    const auto tag = std::ranges::find(owner.members, annotation.field(), &Member::name);
    if (tag == owner.members.end() || !IsNumber(before_[tag->type])) continue;
    step.kind = Kind::kUnion;
    step.discriminator = tag->offset;
    step.discriminator_size = before_[tag->type].size;
    for (const auto& valid : annotation.cases()) {
      const auto member = std::ranges::find(before.members, valid.member(), &Member::name);
      if (member == before.members.end()) continue;
      const auto index = static_cast<size_t>(member - before.members.begin());
      const Member* to = Counterpart(before, index, after);
      if (to == nullptr) continue;
      const auto value = book_.NumberOf(before_[tag->type], valid.equals());
      if (value) step.members.emplace(*value, &book_.Get(member->type, to->type));
    }
    recipe.steps.push_back(std::move(step));
    return true;
  }
  return false;
}

void RecipeBuilder::AddFlexible(const Member& from, const Member& to, Recipe& recipe) {
  const Recipe& element = book_.Get(before_[from.type].target, after_[to.type].target);
  if (!element.problem.empty()) {
    Problem(recipe, "field `" + from.name + "`: " + element.problem);
  }
  recipe.flexible = FlexibleArray{from.offset, to.offset, &element};
}

std::string RecipeBuilder::RenamedField(const Type& owner, const std::string& field) const {
  for (const profiles::Rename& rename : book_.annotations().rename()) {
    if (RecipeBook::IsField(owner, field, rename.before())) return rename.after();
  }
  return field;
}

// Whether there is no need to carry a field over, and no way: it is something else there.
bool RecipeBuilder::IsDroppedWhileZero(const Type& owner, const Member& from,
                                       const Member& to) const {
  return before_[from.type].kind != after_[to.type].kind &&
         IsAnnotated(owner, from.name, book_.annotations().drop_zero());
}

// Unnamed members (anonymous structs and unions) correspond in their order.
const Member* RecipeBuilder::Counterpart(const Type& owner, size_t index, const Type& in) const {
  const Member& wanted = owner.members[index];
  if (IsAnnotated(owner, wanted.name, book_.annotations().drop())) return nullptr;
  const std::string name = RenamedField(owner, wanted.name);
  const auto end = owner.members.begin() + static_cast<std::ptrdiff_t>(index);
  auto skip = name.empty() ? std::count_if(owner.members.begin(), end,
                                           [](const Member& m) { return m.name.empty(); })
                           : 0;
  for (const Member& member : in.members) {
    if (IsDroppedWhileZero(owner, wanted, member)) continue;
    if (member.name == name && skip-- == 0) return &member;
  }
  return nullptr;
}

}  // namespace mcr::mutator
