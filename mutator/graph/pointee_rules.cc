#include "mutator/graph/pointee_rules.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace mcr::mutator {
namespace {

constexpr std::string_view kArrow = "->";
constexpr uint64_t kLargestPointee = 64 << 10;  // bytes: debug information may say anything

// The bytes of a member; nullopt: there are too many for a word, or too few of `value`.
std::optional<uint64_t> Load(const Member& member, std::span<const std::byte> value,
                             const RecipeBook& recipes) {
  const uint64_t size = recipes.before()[member.type].size;
  if (size > sizeof(uint64_t) || member.offset + size > value.size()) return std::nullopt;
  uint64_t word = 0;
  std::memcpy(&word, value.data() + member.offset, size);
  return word;
}

}  // namespace

std::optional<uint64_t> NumberIn(std::span<const std::byte> value, const Type& owner,
                                 std::string_view field, const RecipeBook& recipes) {
  const auto member = std::ranges::find(owner.members, field, &Member::name);
  if (member == owner.members.end() || member->bit_size != 0) return std::nullopt;
  return Load(*member, value, recipes);
}

PointeeRules::PointeeRules(const MemoryReader& memory, const Program& program, Addr bias,
                           const RecipeBook& recipes)
    : memory_(memory), program_(program), bias_(bias), recipes_(recipes) {}

std::optional<PointeeRules::Answer> PointeeRules::OfField(const Type& owner, std::string_view field,
                                                          std::span<const std::byte> value) const {
  for (const profiles::Pointee& rule : recipes_.annotations().pointee()) {
    if (!RecipeBook::IsField(owner, field, rule.field())) continue;
    if (rule.if_field().empty()) return Answer{recipes_.OldType(rule.type())};
    if (const auto* valid = CaseOf(rule, owner, value)) {
      return Answer{recipes_.OldType(valid->type())};
    }
  }
  return std::nullopt;
}

std::optional<PointeeRules::Answer> PointeeRules::OfVariable(std::string_view name) const {
  for (const profiles::Pointee& rule : recipes_.annotations().pointee()) {
    if (rule.field() == name) return Answer{recipes_.OldType(rule.type())};
  }
  return std::nullopt;
}

std::optional<uint64_t> PointeeRules::CountOf(const Type& owner, std::string_view field,
                                              std::span<const std::byte> value,
                                              TypeId pointee) const {
  for (const profiles::Length& length : recipes_.annotations().length()) {
    if (!RecipeBook::IsField(owner, field, length.field())) continue;
    if (!length.count().empty()) return NumberIn(value, owner, length.count(), recipes_);
    const auto begin = NumberIn(value, owner, field, recipes_);
    const auto end = NumberIn(value, owner, length.end(), recipes_);
    const uint64_t size = recipes_.before()[pointee].size;
    if (!begin || !end || *end < *begin || size == 0) return std::nullopt;
    return (*end - *begin) / size;
  }
  return std::nullopt;
}

std::optional<PointeeRules::Listed> PointeeRules::ListAt(const Type& owner,
                                                         std::string_view field) const {
  for (const profiles::List& list : recipes_.annotations().list()) {
    const bool is_head = std::ranges::any_of(list.head(), [&](const std::string& head) {
      return RecipeBook::IsField(owner, field, head);
    });
    if (is_head) return LinkOf(list.link());
  }
  return std::nullopt;
}

// "item.siblings"
std::optional<PointeeRules::Listed> PointeeRules::LinkOf(std::string_view annotated) const {
  const size_t dot = annotated.rfind('.');
  if (dot == annotated.npos) return std::nullopt;
  const TypeTable& types = recipes_.before();
  const TypeId type = recipes_.OldType(annotated.substr(0, dot));
  const auto link =
      std::ranges::find(types[type].members, annotated.substr(dot + 1), &Member::name);
  if (link == types[type].members.end()) return std::nullopt;
  const auto& parts = types[types.Definition(link->type)].members;
  const auto neighbour = std::ranges::find_if(
      parts, [&](const Member& part) { return types[part.type].kind == TypeKind::kPointer; });
  if (neighbour == parts.end()) return std::nullopt;
  return Listed{type, link->offset, neighbour->offset};
}

std::optional<PointeeRules::Contained> PointeeRules::ContainerAt(const Type& owner,
                                                                 std::string_view field,
                                                                 TypeId type) const {
  for (const profiles::Container& container : recipes_.annotations().container()) {
    const bool is_one = std::ranges::any_of(container.field(), [&](const std::string& name) {
      return RecipeBook::IsField(owner, field, name);
    });
    if (is_one) return PartsOf(container, type);
  }
  return std::nullopt;
}

// Offsets are in the struct that holds the pointer to the elements: the next one like it is not in
// a container.
std::optional<PointeeRules::Contained> PointeeRules::PartsOf(const profiles::Container& container,
                                                             TypeId type) const {
  const std::string_view path = container.elements();
  const size_t dot = path.rfind('.');
  const auto part = dot == path.npos ? Number() : NumberAt(path.substr(0, dot), type);
  auto elements = NumberAt(path, type), count = NumberAt(container.count(), type);
  auto next = NumberAt(container.next(), type);
  const TypeId element = recipes_.OldType(container.of());
  if (!part || !elements || !count || element == 0) return std::nullopt;
  for (auto* number : {&elements, &count, &next}) {
    if (!*number) continue;
    if ((*number)->offset < part->offset) return std::nullopt;
    (*number)->offset -= part->offset;
  }
  return Contained{element, part->offset, *elements,
                   *count,  next,         NumberAt(container.room(), type)};
}

// "part.elements"
std::optional<PointeeRules::Number> PointeeRules::NumberAt(std::string_view path,
                                                           TypeId type) const {
  const TypeTable& types = recipes_.before();
  const size_t dot = path.find('.');
  const auto& members = types[types.Definition(type)].members;
  const auto member = std::ranges::find(members, path.substr(0, dot), &Member::name);
  if (path.empty() || member == members.end() || member->bit_size != 0) return std::nullopt;
  if (dot == path.npos) {
    return Number{member->offset, std::min(types[member->type].size, sizeof(uint64_t))};
  }
  auto inner = NumberAt(path.substr(dot + 1), member->type);
  if (inner) inner->offset += member->offset;
  return inner;
}

// "read->handler": a field of what another one points to.
std::optional<PointeeRules::Field> PointeeRules::Find(std::string_view path, const Type& owner,
                                                      std::span<const std::byte> value) const {
  const TypeTable& types = recipes_.before();
  const size_t arrow = path.find(kArrow);
  const auto member = std::ranges::find(owner.members, path.substr(0, arrow), &Member::name);
  if (member == owner.members.end() || member->bit_size != 0) return std::nullopt;
  const auto word = Load(*member, value, recipes_);
  if (!word) return std::nullopt;
  if (arrow == path.npos) return Field{member->type, *word};
  if (types[member->type].kind != TypeKind::kPointer) return std::nullopt;
  const Type& pointee = types[types.Definition(types[member->type].target)];
  if (pointee.size > kLargestPointee) return std::nullopt;
  std::vector<std::byte> bytes(pointee.size);
  if (!memory_.Read(Addr(*word), bytes)) return std::nullopt;
  return Find(path.substr(arrow + kArrow.size()), pointee, bytes);
}

// nullptr: none.
const profiles::Pointee::Case* PointeeRules::CaseOf(const profiles::Pointee& rule,
                                                    const Type& owner,
                                                    std::span<const std::byte> value) const {
  const auto field = Find(rule.if_field(), owner, value);
  if (!field) return nullptr;
  const bool is_pointer = recipes_.before()[field->type].kind == TypeKind::kPointer;
  const auto is = [&](const std::string& wanted) {
    if (!is_pointer) return IsNumber(*field, wanted);
    return wanted == "0" ? field->value == 0 : IsFunction(field->value, wanted);
  };
  const auto valid = std::ranges::find_if(
      rule.cases(), [&](const auto& each) { return std::ranges::any_of(each.equals(), is); });
  return valid == rule.cases().end() ? nullptr : &*valid;
}

bool PointeeRules::IsNumber(const Field& field, const std::string& text) const {
  const Type& type = recipes_.before()[field.type];
  const auto number = recipes_.NumberOf(type, text);
  if (!number) return false;
  const uint64_t mask =
      type.size == sizeof(uint64_t) ? ~uint64_t{0} : (uint64_t{1} << (8 * type.size)) - 1;
  return (static_cast<uint64_t>(*number) & mask) == field.value;
}

bool PointeeRules::IsFunction(uint64_t word, std::string_view name) const {
  const Function* function = program_.FindFunction(FileAddr(word - bias_.value()));
  return function != nullptr && function->range.begin() == FileAddr(word - bias_.value()) &&
         function->name == name;
}

}  // namespace mcr::mutator
