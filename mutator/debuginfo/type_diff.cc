#include <algorithm>
#include <set>
#include <utility>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {
namespace {

using Difference = std::optional<std::string>;

bool IsTagged(const Type& type) {
  return type.kind == TypeKind::kStruct || type.kind == TypeKind::kUnion ||
         type.kind == TypeKind::kEnum;
}

std::string Changed(std::string_view what, uint64_t before, uint64_t after) {
  return std::string(what) + " " + std::to_string(before) + " became " + std::to_string(after);
}

class TypeComparer {
 public:
  TypeComparer(const TypeTable& before, const TypeTable& after) : before_(before), after_(after) {}

  Difference Values(TypeId a, TypeId b) {
    // Seen before: equal, or its difference is already on its way up. This also ends cycles.
    if (!seen_.emplace(a, b).second) return std::nullopt;
    const Type& before = before_[a];
    const Type& after = after_[b];
    if (before.kind != after.kind || (IsTagged(before) && NamesDiffer(before, after))) {
      return Became(a, b);
    }
    switch (before.kind) {
      case TypeKind::kInteger:
      case TypeKind::kFloat:
        if (before.size != after.size || before.is_signed != after.is_signed) return Became(a, b);
        return std::nullopt;
      case TypeKind::kEnum:
        return Enums(before, after);
      case TypeKind::kPointer:
      case TypeKind::kMemberPointer:
        if (Pointees(before.target, after.target)) return std::nullopt;
        return Became(a, b);
      case TypeKind::kArray:
        return Arrays(a, b);
      case TypeKind::kStruct:
      case TypeKind::kUnion:
        return Records(before, after);
      case TypeKind::kVoid:
      case TypeKind::kFunction:
        return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  Difference Became(TypeId a, TypeId b) const {
    const std::string before = before_.Describe(a);
    const std::string after = after_.Describe(b);
    if (before == after) return before + " has another meaning";
    return before + " became " + after;
  }

  // A name given to a type that had none says nothing about its contents.
  static bool NamesDiffer(const Type& before, const Type& after) {
    if (before.name.empty() || after.name.empty() || before.name == after.name) return false;
    return std::ranges::none_of(before.typedefs,
                                [&](const auto& n) { return HasName(after, n); }) &&
           !HasName(before, after.name) && !HasName(after, before.name);
  }

  static bool HasName(const Type& type, std::string_view name) {
    return type.name == name || std::ranges::find(type.typedefs, name) != type.typedefs.end();
  }

  // Old values keep their meaning if every old enumerator does.
  static Difference Enums(const Type& before, const Type& after) {
    if (before.size != after.size) return Changed("size", before.size, after.size);
    for (const Enumerator& old : before.enumerators) {
      const auto now = std::ranges::find(after.enumerators, old.name, &Enumerator::name);
      if (now == after.enumerators.end()) return "enumerator `" + old.name + "` was removed";
      if (now->value != old.value) {
        return "enumerator `" + old.name + "`: " + std::to_string(old.value) + " became " +
               std::to_string(now->value);
      }
    }
    return std::nullopt;
  }

  // What is pointed to is compared by name where it has one. Functions count as equal: the
  // pointer's value is translated by the function's name, whatever its parameters.
  bool Pointees(TypeId a, TypeId b) {
    const Type& before = before_[a];
    const Type& after = after_[b];
    if (before.kind != after.kind) return false;
    if (before.kind == TypeKind::kFunction) return true;
    if (IsTagged(before) && !(before.name.empty() && after.name.empty())) {
      return !NamesDiffer(before, after);
    }
    return !Values(a, b);
  }

  Difference Arrays(TypeId a, TypeId b) {
    const Type& before = before_[a];
    const Type& after = after_[b];
    if (before.count != after.count) return Became(a, b);
    return Values(before.target, after.target);
  }

  Difference Records(const Type& before, const Type& after) {
    if (before.is_declaration || after.is_declaration) return std::nullopt;
    Difference difference = Members(before, after);
    if (before.size == after.size) return difference;
    const std::string size = Changed("size", before.size, after.size);
    return difference ? size + ": " + *difference : size;
  }

  Difference Members(const Type& before, const Type& after) {
    for (size_t i = 0; i < before.members.size(); ++i) {
      const Member& old = before.members[i];
      const Member* now = Counterpart(before, i, after);
      if (now == nullptr) return Field(old) + " was removed";
      if (Difference difference = Members(old, *now)) return difference;
    }
    for (size_t i = 0; i < after.members.size(); ++i) {
      if (Counterpart(after, i, before) == nullptr) {
        return Field(after.members[i]) + " was added";
      }
    }
    return std::nullopt;
  }

  Difference Members(const Member& before, const Member& after) {
    if (before.offset != after.offset) {
      return Field(before) + " moved from " + std::to_string(before.offset) + " to " +
             std::to_string(after.offset);
    }
    if (before.bit_offset != after.bit_offset) {
      return Changed(Field(before) + ": first bit", before.bit_offset, after.bit_offset);
    }
    if (before.bit_size != after.bit_size) {
      return Changed(Field(before) + ": bits", before.bit_size, after.bit_size);
    }
    if (Difference difference = Values(before.type, after.type)) {
      return Field(before) + ": " + *difference;
    }
    return std::nullopt;
  }

  static std::string Field(const Member& member) {
    return member.name.empty() ? "an unnamed field" : "field `" + member.name + "`";
  }

  // The member of that name; unnamed ones (anonymous unions, padding bits) correspond in their
  // order.
  static const Member* Counterpart(const Type& from, size_t index, const Type& to) {
    const std::string& name = from.members[index].name;
    if (index < to.members.size() && to.members[index].name == name) return &to.members[index];
    const auto end = from.members.begin() + static_cast<std::ptrdiff_t>(index);
    auto skip = name.empty() ? std::count_if(from.members.begin(), end, IsUnnamed) : 0;
    for (const Member& member : to.members) {
      if (member.name == name && skip-- == 0) return &member;
    }
    return nullptr;
  }

  static bool IsUnnamed(const Member& member) { return member.name.empty(); }

  const TypeTable& before_;
  const TypeTable& after_;
  std::set<std::pair<TypeId, TypeId>> seen_;
};

// By name, or, if a struct got another tag but kept its typedef, by that.
std::vector<TypeId> Counterparts(const Type& type, const TypeTable& types) {
  std::vector<std::string> names = type.typedefs;
  names.insert(names.begin(), type.name);
  for (const std::string& name : names) {
    std::vector<TypeId> found = types.Find(type.kind, name);
    std::erase_if(found, [&](TypeId id) { return types[id].is_declaration; });
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

std::optional<std::string> LayoutDifference(const TypeTable& before, TypeId a,
                                            const TypeTable& after, TypeId b) {
  return TypeComparer(before, after).Values(a, b);
}

std::vector<TypeChange> DiffTypes(const TypeTable& before, const TypeTable& after) {
  std::vector<TypeChange> changes;
  for (TypeId id = 1; id < before.size(); ++id) {
    const Type& type = before[id];
    if (!IsTagged(type) || type.name.empty() || type.is_declaration) continue;
    // Units may disagree about a name; one definition that is as before is enough.
    std::optional<TypeChange> change;
    for (const TypeId other : Counterparts(type, after)) {
      auto difference = LayoutDifference(before, id, after, other);
      if (!difference) {
        change.reset();
        break;
      }
      if (!change) {
        change = TypeChange{.name = before.Describe(id),
                            .before = id,
                            .after = other,
                            .difference = std::move(*difference)};
      }
    }
    if (change) changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace mcr::mutator
