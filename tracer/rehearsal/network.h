// The network of a sandbox: the loopback device alone, on which every address of the server exists.
#ifndef MCR_TRACER_REHEARSAL_NETWORK_H_
#define MCR_TRACER_REHEARSAL_NETWORK_H_

#include <string>
#include <utility>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

// Kernel parameters of our network namespace that decide whether a bind or listen succeeds, with
// their values.
using NetworkParameters = std::vector<std::pair<std::string, std::string>>;
NetworkParameters ReadNetworkParameters();

// In a new network namespace: brings up loopback, gives it `addresses`, lets programs bind to any
// address besides, and sets the parameters.
Status SetUpNetwork(const NetworkParameters& parameters, const std::vector<std::string>& addresses);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_NETWORK_H_
