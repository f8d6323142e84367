// From what was seen of a server to its profile.
#ifndef MCR_PROFILE_LEARN_H_
#define MCR_PROFILE_LEARN_H_

#include <string>
#include <vector>

#include "mcr/profile/sighting.h"
#include "profiles/profile.pb.h"

namespace mcr::profile {

// A call in which a thread was seen to wait more than once is a quiescent point, known by the last
// few functions that led to it. Processes whose main threads wait at the same points have the same
// role. Those that were there at the first look are persistent, others come and go with the work.
profiles::Learned Learn(const std::vector<Look>& looks);

// Takes over what a profile has that cannot be learned: the identity, the names of roles and
// classes of threads at points that both have, the data set, the annotations.
void KeepHandWritten(const profiles::Profile& from, profiles::Profile& to);

}  // namespace mcr::profile

#endif  // MCR_PROFILE_LEARN_H_
