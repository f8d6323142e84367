#include "mcr/base/fault.h"

namespace mcr {

std::optional<Fault> FindFault(std::string_view name) {
  for (const FaultName& known : kFaultNames) {
    if (known.name == name) return known.fault;
  }
  return std::nullopt;
}

Status InjectFault(std::optional<Fault> armed, Fault here) {
  if (armed == here) return Fail("injected fault");
  return {};
}

}  // namespace mcr
