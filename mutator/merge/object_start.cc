#include "mutator/merge/object_start.h"

#include <algorithm>

namespace mcr::mutator {

bool IsObjectStart(const TypeTable& types, TypeId id, uint64_t offset, uint64_t smallest) {
  const Type& type = types[id];
  if (offset == 0 && (type.size >= smallest || type.kind == TypeKind::kVoid)) return true;
  switch (type.kind) {
    case TypeKind::kVoid:
      return true;
    case TypeKind::kArray: {
      const uint64_t size = types[type.target].size;
      return size == 0 || IsObjectStart(types, type.target, offset % size, smallest);
    }
    case TypeKind::kStruct:
    case TypeKind::kUnion:
      return std::ranges::any_of(type.members, [&](const Member& member) {
        const uint64_t size = types[member.type].size;
        return member.offset <= offset && offset < member.offset + std::max<uint64_t>(size, 1) &&
               IsObjectStart(types, member.type, offset - member.offset, smallest);
      });
    default:
      return false;
  }
}

}  // namespace mcr::mutator
