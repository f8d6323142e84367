// What a server runs in, as far as it decides what can be done with it: the namespaces of its
// processes (namespaces(7)).
#ifndef MCR_UPDATE_SURROUNDINGS_H_
#define MCR_UPDATE_SURROUNDINGS_H_

#include <sys/types.h>

#include <vector>

#include "mcr/base/result.h"

namespace mcr::update {

// A rehearsal starts with our user namespace's credentials: one in another would start with other
// rights than the server did.
Status CheckUserNamespace(const std::vector<pid_t>& pids);

// CRIU dumps the whole tree below `root`, whatever its processes execute, but none of which one has
// a namespace of its own of the kinds of which it knows one for the whole tree only, or a main
// process with a file from outside of its mount namespace.
Status CheckDumpable(pid_t root);

}  // namespace mcr::update

#endif  // MCR_UPDATE_SURROUNDINGS_H_
