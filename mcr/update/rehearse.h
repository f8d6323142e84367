// Stage 2: the new version, started in a sandbox and frozen at its quiescent points.
#ifndef MCR_UPDATE_REHEARSE_H_
#define MCR_UPDATE_REHEARSE_H_

#include <memory>
#include <vector>

#include "checkpoint/live_image.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/stack_names.h"
#include "tracer/rehearsal/rehearsal.h"

namespace mcr::update {

struct Rehearsed {
  std::unique_ptr<tracer::Rehearsal> rehearsal;
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images;
  std::vector<StackNames> stacks;  // of the main threads; same order

  // The process that does the same work as one with this stack.
  const checkpoint::ProcessImage& Counterpart(const StackNames& stack) const {
    return *images[MostAlike(stack, stacks)];
  }
};

Result<Rehearsed> Rehearse(const Inspection& server);

}  // namespace mcr::update

#endif  // MCR_UPDATE_REHEARSE_H_
