#include "mutator/merge/pointer_report.h"

#include <fmt/format.h>

namespace mcr::mutator {

void Count(PointerKind kind, PointerCounts& counts) {
  switch (kind) {
    case PointerKind::kFunction:
      ++counts.functions;
      break;
    case PointerKind::kInstruction:
      ++counts.instructions;
      break;
    case PointerKind::kVariable:
      ++counts.variables;
      break;
    case PointerKind::kLiteral:
      ++counts.literals;
      break;
    case PointerKind::kLayout:
      ++counts.layout;
      break;
    case PointerKind::kNone:
      break;
  }
}

std::string Refusal(pid_t pid, const std::string& holder, const ChangedModule& module,
                    uint64_t target, const Translation& translation) {
  return fmt::format("process {}: {} points to {}: {}", pid, holder,
                     AddressMap::Name(module.before(), module.InOld(target)), translation.problem);
}

}  // namespace mcr::mutator
