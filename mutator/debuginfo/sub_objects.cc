#include "mutator/debuginfo/sub_objects.h"

#include <algorithm>

namespace mcr::mutator {
namespace {

constexpr size_t kMost = 4096;
constexpr int kDeepest = 32;

void Add(const TypeTable& types, const SubObject& whole, int depth, std::vector<SubObject>& into) {
  const Type& type = types[whole.type];
  const auto add = [&](SubObject part) {
    if (into.size() > kMost || depth > kDeepest) return;
    into.push_back(part);
    Add(types, part, depth + 1, into);
  };
  if (type.kind == TypeKind::kArray) {
    const uint64_t size = types[type.target].size;
    for (uint64_t i = 0; i < type.count && into.size() <= kMost; ++i) {
      add({whole.path + "[" + std::to_string(i) + "]", whole.offset + i * size, type.target});
    }
  }
  for (const Member& member : type.members) {
    if (member.bit_size != 0) continue;
    add({whole.path + "." + member.name, whole.offset + member.offset, member.type});
  }
}

}  // namespace

std::vector<SubObject> SubObjectsOf(const TypeTable& types, TypeId type) {
  std::vector<SubObject> parts;
  Add(types, {"", 0, type}, 0, parts);
  if (parts.size() > kMost) parts.clear();
  return parts;
}

bool BeginsOrEndsAt(const TypeTable& types, TypeId id, uint64_t offset) {
  const Type& type = types[id];
  if (offset == 0 || offset == type.size) return true;
  if (type.kind == TypeKind::kArray) {
    const uint64_t size = types[type.target].size;
    return size == 0 || BeginsOrEndsAt(types, type.target, offset % size);
  }
  return std::ranges::any_of(type.members, [&](const Member& member) {
    const uint64_t end = member.offset + types[member.type].size;
    return member.bit_size == 0 && member.offset <= offset && offset <= end &&
           BeginsOrEndsAt(types, member.type, offset - member.offset);
  });
}

}  // namespace mcr::mutator
