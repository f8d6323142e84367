// The profiles of this folder, compiled in: mcr is one file and finds them wherever it is
// installed.
#ifndef MCR_PROFILES_SHIPPED_H_
#define MCR_PROFILES_SHIPPED_H_

#include <optional>
#include <string>

#include "mcr/base/result.h"
#include "profiles/profile.h"

namespace mcr::profiles {

// The shipped profile for the program at `executable`; nullopt if there is none.
Result<std::optional<Profile>> FindShipped(const std::string& executable);

}  // namespace mcr::profiles

#endif  // MCR_PROFILES_SHIPPED_H_
