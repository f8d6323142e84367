// The address of the last x87 instruction, which the processor remembers for each thread (Intel SDM
// volume 1, 8.1.8) and the kernel writes to the stack with every signal frame: nobody jumps there,
// but it must not be taken for a pointer into a file that is gone.
#ifndef MCR_CHECKPOINT_GRAFT_X87_ADDRESS_H_
#define MCR_CHECKPOINT_GRAFT_X87_ADDRESS_H_

#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

// Clears it in the threads of a stopped process where it lies in one of `gone`. Harmless where it
// fails.
void ForgetX87Addresses(const tracer::TracedProcess& process, const std::vector<Range<Addr>>& gone);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_X87_ADDRESS_H_
