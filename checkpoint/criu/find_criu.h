// The criu that tests use.
#ifndef MCR_CHECKPOINT_CRIU_FIND_CRIU_H_
#define MCR_CHECKPOINT_CRIU_FIND_CRIU_H_

#include <string>

namespace mcr::checkpoint {

// $MCR_CRIU, or what third_party/criu/build has put into the cache; "" if there is none.
std::string FindCriuForTest();

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_FIND_CRIU_H_
