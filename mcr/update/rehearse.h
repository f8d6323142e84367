// Stage 2: both versions, started in sandboxes and frozen at their quiescent points.
#ifndef MCR_UPDATE_REHEARSE_H_
#define MCR_UPDATE_REHEARSE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/stack_names.h"
#include "mutator/merge/base.h"
#include "mutator/merge/merge.h"
#include "tracer/rehearsal/rehearsal.h"

namespace mcr::update {

// One version, started.
struct Rehearsed {
  std::unique_ptr<tracer::RehearsalOptions> options;
  std::unique_ptr<tracer::Rehearsal> rehearsal;  // nullptr: it is over, the images were kept
  // By process, in the order in which they were started.
  std::vector<std::unique_ptr<checkpoint::ProcessImage>> images;
  std::vector<StackNames> stacks;  // of the main threads
  std::vector<mutator::KernelNames> names;
};

class Rehearsals {
 public:
  // Fails if the new version cannot be rehearsed. The old one may have lost what it was started
  // with: that is a warning, and there is no base.
  static Result<Rehearsals> Run(const Inspection& server);

  // Twice the same, to see what a start always leaves behind. Both with as many processes as the
  // new version.
  struct Base {
    Rehearsed start, again;
  };
  Rehearsals(Rehearsed next, std::optional<Base> base)
      : next_(std::move(next)), base_(std::move(base)) {}

  // For a process of the server with this stack.
  mutator::ProcessPair PairFor(const checkpoint::ProcessImage& live,
                               const StackNames& stack) const {
    return Pair(live, MostAlike(stack, next_.stacks));
  }
  // For the one that was started as number `index`: where stacks are not known.
  mutator::ProcessPair PairFor(const checkpoint::ProcessImage& live, size_t index) const;

  size_t processes() const { return next_.images.size(); }
  const std::vector<std::string>& warnings() const { return warnings_; }
  const Rehearsed& next() const { return next_; }
  const std::optional<Base>& base() const { return base_; }

 private:
  Rehearsals() = default;
  mutator::ProcessPair Pair(const checkpoint::ProcessImage& live, size_t index) const;

  Rehearsed next_;
  std::optional<Base> base_;
  std::vector<std::string> warnings_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_REHEARSE_H_
