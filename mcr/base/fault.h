// Faults that a test can have injected: a closed enum, one for the end of each stage of an update.
//
// `mcr update --inject-fault NAME` makes the stage fail after it has done its work, which is when
// the most has to be undone.
#ifndef MCR_BASE_FAULT_H_
#define MCR_BASE_FAULT_H_

#include <array>
#include <optional>
#include <string_view>

#include "mcr/base/result.h"

namespace mcr {

enum class Fault { kInspect, kRehearse, kQuiesce, kCheckpoint, kMerge, kGraft, kValidate, kCommit };

struct FaultName {
  Fault fault;
  std::string_view name;
};

inline constexpr std::array<FaultName, 8> kFaultNames{{
    {Fault::kInspect, "inspect"},
    {Fault::kRehearse, "rehearse"},
    {Fault::kQuiesce, "quiesce"},
    {Fault::kCheckpoint, "checkpoint"},
    {Fault::kMerge, "merge"},
    {Fault::kGraft, "graft"},
    {Fault::kValidate, "validate"},
    {Fault::kCommit, "commit"},
}};

std::optional<Fault> FindFault(std::string_view name);

// Fails if `armed` is `here`.
Status InjectFault(std::optional<Fault> armed, Fault here);

}  // namespace mcr

#endif  // MCR_BASE_FAULT_H_
