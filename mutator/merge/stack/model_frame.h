// A frame of the new version's start that is active at the call where a live frame goes on: the
// model for what only the new version has there.
#ifndef MCR_MUTATOR_MERGE_STACK_MODEL_FRAME_H_
#define MCR_MUTATOR_MERGE_STACK_MODEL_FRAME_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/stack/frame_plan.h"
#include "mutator/merge/start_allocations.h"

namespace mcr::mutator {

class ModelFrame {
 public:
  // The one that goes on at `instruction`. `next` outlives it.
  static std::optional<ModelFrame> Find(const checkpoint::ProcessImage& next, Addr instruction);

  // As the start has it.
  std::optional<uint64_t> ReadWord(const FrameTarget& place) const;

  // The value in the live process's terms, where the frame's canonical address is `live_end`; with
  // placeholders for memory that the start allocated. Fails, and says why, if it has none there.
  Result<std::vector<std::byte>> Read(const ModelledValue& value, const ImageMap& next_to_live,
                                      StartAllocations& allocations, Addr live_end) const;

 private:
  ModelFrame(const checkpoint::ProcessImage& next, const checkpoint::ThreadImage& thread,
             const checkpoint::StackFrame& frame, Addr end)
      : next_(&next), thread_(&thread), frame_(&frame), end_(end) {}

  const checkpoint::ProcessImage* next_;
  const checkpoint::ThreadImage* thread_;
  const checkpoint::StackFrame* frame_;
  Addr end_;  // its canonical address
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STACK_MODEL_FRAME_H_
