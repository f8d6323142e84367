#include "mutator/graph/virtual_tables.h"

#include <llvm/Demangle/Demangle.h>

#include <string>
#include <string_view>

namespace mcr::mutator {
namespace {

constexpr int kDeepest = 32;
constexpr uint64_t kWord = 8;
constexpr std::string_view kVtableFor = "vtable for ";

TypeId FindClass(const TypeTable& types, std::string_view name) {
  for (const TypeId id : types.Find(TypeKind::kStruct, name)) {
    if (!types[id].is_declaration) return id;
  }
  return 0;
}

}  // namespace

VirtualTables::VirtualTables(const Program& program, Addr bias, const MemoryReader& memory)
    : program_(program), bias_(bias), memory_(memory) {
  for (const Symbol& symbol : program.symbols()) {
    if (!symbol.name.starts_with("_ZTV")) continue;
    const std::string name = llvm::demangle(symbol.name);
    if (!name.starts_with(kVtableFor)) continue;
    const TypeId type =
        FindClass(program.types(), std::string_view(name).substr(kVtableFor.size()));
    if (type != 0) tables_[symbol.range.begin()] = {symbol.range.end(), type};
  }
}

bool VirtualTables::HasTable(TypeId type) const {
  const TypeTable& types = program_.types();
  for (int depth = 0; depth < kDeepest; ++depth) {
    const auto& members = types[type].members;
    if (types[type].kind != TypeKind::kStruct || members.empty()) return false;
    if (members[0].name.starts_with("_vptr")) return true;
    if (members[0].offset != 0) return false;
    type = members[0].type;
  }
  return false;
}

std::optional<VirtualTables::Class> VirtualTables::ClassOf(Addr at) const {
  const auto table = memory_.ReadValue<uint64_t>(at);
  if (!table || *table < bias_.value()) return std::nullopt;
  const FileAddr file(*table - bias_.value());
  auto found = tables_.upper_bound(file);
  if (found == tables_.begin()) return std::nullopt;
  --found;
  if (found->second.first <= file) return std::nullopt;
  // Two words before where the object points: how far the whole object's begin is away.
  const auto to_top = memory_.ReadValue<int64_t>(Addr(*table) - 2 * kWord);
  if (!to_top || *to_top > 0) return std::nullopt;
  return Class{found->second.second, static_cast<uint64_t>(-*to_top)};
}

}  // namespace mcr::mutator
