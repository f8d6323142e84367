// How the server was started, for its rehearsal.
#ifndef MCR_UPDATE_START_H_
#define MCR_UPDATE_START_H_

#include <optional>

#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "profiles/profile.h"
#include "tracer/rehearsal/start_record.h"

namespace mcr::update {

// What /proc says, the executable's path without the kernel's " (deleted)".
Result<tracer::StartRecord> ReadStart(pid_t pid);

// Servers overwrite their argument vector to show a title, and the environment behind it: the
// program's own variables still know (`environ`; for the arguments see arguments.h, and the profile
// may name a variable).
Status CorrectStart(const mutator::Program& program,
                    const std::optional<profiles::Profile>& profile, tracer::StartRecord& start);

}  // namespace mcr::update

#endif  // MCR_UPDATE_START_H_
