#include "checkpoint/graft/x87_address.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tracer/sys/ptrace.h"

namespace mcr::checkpoint {
namespace {

// Of the instruction and of its operand, in the FXSAVE area (Intel SDM volume 1, table 10-2).
constexpr size_t kAddresses[] = {8, 16};

}  // namespace

void ForgetX87Addresses(const tracer::TracedProcess& process,
                        const std::vector<Range<Addr>>& gone) {
  for (const auto& task : process.tasks) {
    auto state = tracer::PtraceGetExtendedState(task->tid());
    if (!state) continue;
    bool changed = false;
    for (const size_t at : kAddresses) {
      uint64_t address = 0;
      if (state->size() < at + sizeof address) continue;
      std::memcpy(&address, state->data() + at, sizeof address);
      const auto holds = [&](const Range<Addr>& each) { return each.Contains(Addr(address)); };
      if (std::ranges::none_of(gone, holds)) continue;
      std::memset(state->data() + at, 0, sizeof address);
      changed = true;
    }
    if (changed) (void)tracer::PtraceSetExtendedState(task->tid(), *state);
  }
}

}  // namespace mcr::checkpoint
