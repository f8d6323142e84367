#include "mutator/validate/layout_match.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace mcr::mutator {
namespace {

using Kind = FieldMatch::Kind;

constexpr uint64_t kWord = 8;

bool IsNumber(const Type& type) {
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kEnum;
}

bool IsCharacter(const Type& type) {
  return type.kind == TypeKind::kInteger && type.size == 1 &&
         type.name.find("char") != std::string::npos;
}

// Whether annotations call this field `annotated`: "ngx_listening_t.servers", under any of the
// type's names.
bool IsField(const Type& owner, std::string_view field, std::string_view annotated) {
  const size_t dot = annotated.rfind('.');
  if (field.empty() || dot == std::string_view::npos || annotated.substr(dot + 1) != field) {
    return false;
  }
  const std::string_view name = annotated.substr(0, dot);
  return owner.name == name || std::ranges::find(owner.typedefs, name) != owner.typedefs.end();
}

// An enumerator that both have is another number in the new version.
bool IsRenumbered(const Type& before, const Type& after) {
  return std::ranges::any_of(before.enumerators, [&](const Enumerator& old) {
    const auto now = std::ranges::find(after.enumerators, old.name, &Enumerator::name);
    return now != after.enumerators.end() && now->value != old.value;
  });
}

// The old bytes are the new ones.
bool IsSame(const FieldMatch& field) {
  if (field.before != field.after || field.before_size != field.after_size) return false;
  switch (field.kind) {
    case Kind::kBytes:
    case Kind::kPointer:
    case Kind::kUntyped:
      return true;
    case Kind::kBits:
      return field.before_bit == field.after_bit && field.before_bits == field.after_bits;
    case Kind::kNested:
      return field.element->same;
    default:
      return false;
  }
}

TypeId FindStruct(const TypeTable& types, std::string_view name) {
  for (const TypeId type : types.Find(TypeKind::kStruct, name)) {
    if (!types[type].is_declaration) return type;
  }
  return 0;
}

// Whether it is a value without parts.
bool IsOne(const FieldMatch& field) {
  return field.kind != Kind::kUntyped && field.kind != Kind::kText && field.before_size <= kWord;
}

class Places {
 public:
  explicit Places(std::vector<PlaceMatch>& into) : into_(into) {}

  void Value(const LayoutMatch& match, uint64_t offset, uint64_t at) {
    if (offset == 0) into_.push_back({at, match.before});
    if (offset == match.before_size) into_.push_back({at + match.after_size, 0});
    for (const FieldMatch& field : match.fields) Field(field, offset, at);
    if (match.flexible && offset >= match.flexible->before) {
      FieldMatch elements = *match.flexible;
      elements.count = (offset - elements.before) / std::max<uint64_t>(elements.before_size, 1) + 1;
      Field(elements, offset, at);
    }
  }

 private:
  void Field(const FieldMatch& field, uint64_t offset, uint64_t at) {
    const uint64_t end = field.before + field.count * field.before_size;
    if (offset < field.before || end < offset) return;
    at += field.after;
    offset -= field.before;
    if (offset == end - field.before) {
      into_.push_back({at + field.count * field.after_size, 0});
    } else if (field.kind == Kind::kNested) {
      Value(*field.element, offset % field.before_size,
            at + offset / field.before_size * field.after_size);
    } else if (offset < field.after_size) {
      // In the middle of what has no parts, or none that are known.
      const bool begins = offset == 0 && field.kind != Kind::kPointer;
      into_.push_back({at + offset, begins ? field.before_type : 0, offset != 0 && IsOne(field)});
    }
  }

  std::vector<PlaceMatch>& into_;
};

}  // namespace

std::vector<PlaceMatch> MatchPlace(const LayoutMatch& match, uint64_t offset, TypeId pointee) {
  std::vector<PlaceMatch> places;
  Places(places).Value(match, offset, 0);
  const auto is_meant = [&](const PlaceMatch& place) { return place.type == pointee; };
  if (pointee != 0 && std::ranges::any_of(places, is_meant))
    std::erase_if(places, [&](auto& each) { return !is_meant(each); });
  return places;
}

const LayoutMatch& LayoutMatcher::Get(TypeId before, TypeId after) const {
  const std::lock_guard lock(mutex_);
  return Find(before, after);
}

const LayoutMatch& LayoutMatcher::Find(TypeId before, TypeId after) const {
  auto& match = known_[{before, after}];
  if (match == nullptr) {
    match = std::make_unique<LayoutMatch>();
    // No value contains one of its own type; corrupt types that do find themselves empty.
    LayoutMatch& found = *match;
    found = Build(before, after);
    return found;
  }
  return *match;
}

const LayoutMatch& LayoutMatcher::GetTagged(const profiles::TaggedPointer& annotation,
                                            TypeId before, TypeId after) const {
  LayoutMatch match{before, after, kWord, kWord, {}, {}, true};
  FieldMatch field;
  field.kind = Kind::kPointer;
  field.before_size = field.after_size = kWord;
  field.tag_mask = annotation.tag_mask();
  match.fields.push_back(field);
  const std::lock_guard lock(mutex_);
  return *made_.emplace_back(std::make_unique<LayoutMatch>(std::move(match)));
}

const LayoutMatch& LayoutMatcher::GetWords(TypeId before, TypeId after, uint64_t before_size,
                                           uint64_t after_size,
                                           const std::map<uint64_t, uint64_t>& words) const {
  LayoutMatch match{before, after, before_size, after_size, {}, {}, false};
  for (const auto& [from, to] : words) {
    FieldMatch field;
    field.kind = Kind::kUntyped;
    field.before = from;
    field.after = to;
    field.before_size = field.after_size = kWord;
    match.fields.push_back(field);
  }
  const std::lock_guard lock(mutex_);
  return *made_.emplace_back(std::make_unique<LayoutMatch>(std::move(match)));
}

LayoutMatch LayoutMatcher::Build(TypeId before, TypeId after) const {
  LayoutMatch match{before, after, before_[before].size, after_[after].size, {}, {}, false};
  const Type& from = before_[before];
  const Type& to = after_[after];
  if (from.kind == TypeKind::kArray) match.before_size = before_[from.target].size * from.count;
  if (to.kind == TypeKind::kArray) match.after_size = after_[to.target].size * to.count;
  if (from.kind == TypeKind::kStruct && to.kind == TypeKind::kStruct) {
    AddRecord(match);
  } else {
    FieldMatch whole;
    whole.before_size = match.before_size;
    whole.after_size = match.after_size;
    AddValue(before, after, whole, match);
  }
  match.same = match.before_size == match.after_size && std::ranges::all_of(match.fields, IsSame) &&
               (!match.flexible || IsSame(*match.flexible));
  return match;
}

void LayoutMatcher::AddRecord(LayoutMatch& match) const {
  const Type& before = before_[match.before];
  const Type& after = after_[match.after];
  for (const Member& now : after.members) {
    const Member* old = OldMember(before, after, now);
    if (old != nullptr) AddField(before, *old, now, match);
  }
}

// The size of an array's elements, which follows the new version's.
bool LayoutMatcher::HoldsSize(const Type& owner, const Member& member) const {
  return std::ranges::any_of(annotations_.length(), [&](const profiles::Length& annotation) {
    const std::string& array = annotation.field();
    return !annotation.size_of().empty() &&
           IsField(owner, member.name,
                   array.substr(0, array.rfind('.') + 1) + annotation.size_of());
  });
}

void LayoutMatcher::AddField(const Type& owner, const Member& before, const Member& after,
                             LayoutMatch& match) const {
  if (HoldsSize(owner, before)) return;
  const Type& from = before_[before.type];
  const Type& to = after_[after.type];
  FieldMatch field;
  field.name = before.name;
  field.before = before.offset;
  field.after = after.offset;
  field.before_size = from.size;
  field.after_size = to.size;
  field.before_type = before.type;
  field.after_type = after.type;
  field.before_signed = from.is_signed;
  field.after_signed = to.is_signed;
  if (before.bit_size != 0 || after.bit_size != 0) {
    const auto bits = [](const Member& member, const Type& type) {
      return member.bit_size != 0 ? member.bit_size : static_cast<uint32_t>(type.size * 8);
    };
    field.kind = Kind::kBits;
    field.before_bit = before.bit_offset;
    field.after_bit = after.bit_offset;
    field.before_bits = bits(before, from);
    field.after_bits = bits(after, to);
    match.fields.push_back(std::move(field));
    return;
  }
  if (AddAnnotated(owner, field, match) || AddCases(owner, before, after, field, match)) return;
  if (AddContainer(owner, before, after, field, match)) return;
  for (const profiles::Length& annotation : annotations_.length()) {
    if (annotation.end() != before.name) continue;
    const auto first = std::ranges::find_if(owner.members, [&](const Member& member) {
      return IsField(owner, member.name, annotation.field());
    });
    if (first != owner.members.end()) field.first = first->offset;
  }
  AddValue(before.type, after.type, std::move(field), match);
}

void LayoutMatcher::AddValue(TypeId before, TypeId after, FieldMatch field,
                             LayoutMatch& match) const {
  const Type& from = before_[before];
  const Type& to = after_[after];
  field.before_type = before;
  field.after_type = after;
  field.before_signed = from.is_signed;
  field.after_signed = to.is_signed;
  const bool is_pointer = from.kind == TypeKind::kPointer;
  if (from.kind == TypeKind::kArray && to.kind == TypeKind::kArray) {
    return AddArray(from, to, std::move(field), match);
  }
  if (from.kind == TypeKind::kStruct && to.kind == TypeKind::kStruct) {
    field.kind = Kind::kNested;
    field.element = &Find(before, after);
  } else if (from.kind == TypeKind::kEnum && to.kind == TypeKind::kEnum && IsRenumbered(from, to)) {
    field.kind = Kind::kEnum;
  } else if (IsNumber(from) && IsNumber(to)) {
    const bool same = from.size == to.size && from.is_signed == to.is_signed;
    field.kind = same ? Kind::kBytes : Kind::kInteger;
  } else if (is_pointer && to.kind == TypeKind::kPointer) {
    field.kind = Kind::kPointer;
    field.before_type = from.target;
    field.after_type = to.target;
  } else if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kFloat) {
    field.kind = from.size == to.size ? Kind::kBytes : Kind::kFloat;
  } else if (from.kind == to.kind ||
             (from.size == to.size && (is_pointer || to.kind == TypeKind::kPointer))) {
    field.kind = Kind::kUntyped;  // unions, member pointers, an address that became a number
  } else {
    return;  // nothing that could be compared: the merge has refused it, or left it to the new one
  }
  match.fields.push_back(std::move(field));
}

void LayoutMatcher::AddArray(const Type& before, const Type& after, FieldMatch field,
                             LayoutMatch& match) const {
  const bool is_text = IsCharacter(before_[before.target]) && IsCharacter(after_[after.target]);
  field.element = &Find(before.target, after.target);
  field.kind = Kind::kNested;
  field.before_size = field.element->before_size;
  field.after_size = field.element->after_size;
  if (before.count == 0 || after.count == 0) {
    if (before.count == after.count) match.flexible = std::move(field);
    return;
  }
  field.count = std::min(before.count, after.count);
  if (is_text) {
    field.kind = before.count == after.count ? Kind::kBytes : Kind::kText;
    field.before_size = before.count;
    field.after_size = after.count;
    field.count = 1;
  } else if (field.element->fields.empty()) {
    return;
  } else if (field.element->same && field.element->fields.front().kind == Kind::kBytes &&
             before_[before.target].kind != TypeKind::kStruct) {
    field.kind = Kind::kBytes;
    field.before_size = field.after_size = field.count * field.before_size;
    field.count = 1;
  }
  match.fields.push_back(std::move(field));
}

bool LayoutMatcher::AddAnnotated(const Type& owner, FieldMatch field, LayoutMatch& match) const {
  for (const profiles::TaggedPointer& annotation : annotations_.tagged_pointer()) {
    if (field.before_size != kWord || field.after_size != kWord) break;
    if (!IsField(owner, field.name, annotation.field())) continue;
    field.kind = Kind::kPointer;
    field.before_type = field.after_type = 0;
    field.tag_mask = annotation.tag_mask();
    match.fields.push_back(std::move(field));
    return true;
  }
  for (const std::string& annotation : annotations_.copy()) {
    if (!IsField(owner, field.name, annotation)) continue;
    field.kind = Kind::kBytes;
    field.before_size = field.after_size = std::min(field.before_size, field.after_size);
    match.fields.push_back(std::move(field));
    return true;
  }
  return false;
}

// The size of its elements is that of their type.
bool LayoutMatcher::AddContainer(const Type& owner, const Member& before, const Member& after,
                                 FieldMatch field, LayoutMatch& match) const {
  for (const profiles::Container& annotation : annotations_.container()) {
    const bool is_one = std::ranges::any_of(annotation.field(), [&](const std::string& name) {
      return IsField(owner, before.name, name);
    });
    if (!is_one) continue;
    LayoutMatch container = Find(before.type, after.type);
    for (FieldMatch& each : container.fields) {
      if (annotation.size().empty() || each.name != annotation.size()) continue;
      each.kind = Kind::kSize;
      each.before_type = FindStruct(before_, annotation.of());
      each.after_type = FindStruct(after_, before_[each.before_type].name);
    }
    container.same = false;
    field.kind = Kind::kNested;
    field.element = made_.emplace_back(std::make_unique<LayoutMatch>(std::move(container))).get();
    match.fields.push_back(std::move(field));
    return true;
  }
  return false;
}

bool LayoutMatcher::AddCases(const Type& owner, const Member& before, const Member& after,
                             FieldMatch field, LayoutMatch& match) const {
  const Type& from = before_[before.type];
  const Type& to = after_[after.type];
  for (const profiles::Discriminator& annotation : annotations_.discriminator()) {
    if (!IsField(owner, before.name, annotation.union_field())) continue;
    const auto tag = std::ranges::find(owner.members, annotation.field(), &Member::name);
    if (tag == owner.members.end()) continue;
    field.kind = Kind::kCases;
    field.discriminator = tag->offset;
    field.discriminator_size = before_[tag->type].size;
    for (const auto& valid : annotation.cases()) {
      const auto value = NumberOf(before_[tag->type], valid.equals());
      for (const Member& now : to.members) {
        const Member* old = OldMember(from, to, now);
        if (old == nullptr || old->name != valid.member() || !value) continue;
        field.cases.emplace(*value, &Find(old->type, now.type));
      }
    }
    match.fields.push_back(std::move(field));
    return true;
  }
  return false;
}

// Unnamed members correspond in their order.
const Member* LayoutMatcher::OldMember(const Type& before, const Type& after,
                                       const Member& wanted) const {
  const auto unnamed_before = [](const std::vector<Member>& members, const Member* end) {
    return std::count_if(members.data(), end, [](const Member& each) { return each.name.empty(); });
  };
  for (const Member& old : before.members) {
    const auto is_old = [&](const std::string& annotated) {
      return IsField(before, old.name, annotated);
    };
    if (std::ranges::any_of(annotations_.drop(), is_old)) continue;
    const bool is_other = before_[old.type].kind != after_[wanted.type].kind;
    if (is_other && std::ranges::any_of(annotations_.drop_zero(), is_old)) continue;
    std::string_view name = old.name;
    for (const profiles::Rename& rename : annotations_.rename()) {
      if (is_old(rename.before())) name = rename.after();
    }
    if (name != wanted.name) continue;
    if (name.empty() &&
        unnamed_before(before.members, &old) != unnamed_before(after.members, &wanted)) {
      continue;
    }
    return &old;
  }
  return nullptr;
}

std::optional<int64_t> LayoutMatcher::NumberOf(const Type& type, const std::string& text) const {
  const auto named = std::ranges::find(type.enumerators, text, &Enumerator::name);
  if (named != type.enumerators.end()) return named->value;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace mcr::mutator
