// Memory for the graft from the process's own allocator: asked for, put in place of the plan's
// placeholders, given back.
#ifndef MCR_CHECKPOINT_GRAFT_ALLOCATIONS_H_
#define MCR_CHECKPOINT_GRAFT_ALLOCATIONS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

class Allocations {
 public:
  // Asks for all that `graft` wants, at once. On failure what was got is given back.
  static Result<Allocations> Make(tracer::TracedProcess& process, const ProcessGraft& graft);

  // The plan with the addresses that the allocations have: no placeholder is left in it.
  ProcessGraft Resolve() const;

  // The address of free(3), then of each allocation that it takes: what a region gave stays part of
  // that.
  std::vector<uint64_t> Made() const;

  // Gives back the same.
  Status Release(tracer::TracedProcess& process) const;

 private:
  explicit Allocations(const ProcessGraft& graft) : graft_(graft) {}
  uint64_t Resolve(uint64_t placeholder) const;
  void Resolve(user_regs_struct& registers) const;

  ProcessGraft graft_;
  std::vector<uint64_t> got_;  // in the plan's order
  Addr break_;                 // the end of the heap, which the allocator may have moved
};

// Calls `release` for each.
Status ReleaseAll(tracer::TracedProcess& process, Addr release, std::span<const uint64_t> memory);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_ALLOCATIONS_H_
