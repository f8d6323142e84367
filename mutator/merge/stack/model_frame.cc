#include "mutator/merge/stack/model_frame.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "mutator/debuginfo/effects.h"
#include "mutator/merge/stack/frame_values.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

}  // namespace

std::optional<ModelFrame> ModelFrame::Find(const checkpoint::ProcessImage& next, Addr instruction) {
  for (const checkpoint::ThreadImage& thread : next.threads()) {
    const auto found =
        std::ranges::find(thread.frames, instruction, &checkpoint::StackFrame::instruction);
    if (found == thread.frames.end() || std::next(found) == thread.frames.end()) continue;
    return ModelFrame(next, thread, *found, std::next(found)->stack_pointer);
  }
  return std::nullopt;
}

std::optional<uint64_t> ModelFrame::ReadWord(const FrameTarget& place) const {
  const auto word = place.register_number != kNoRegister
                        ? RegisterIn(*frame_, *next_, thread_->registers, place.register_number)
                        : next_->ReadValue<uint64_t>(end_ + static_cast<uint64_t>(place.at));
  return word ? std::optional(*word) : std::nullopt;
}

Result<std::vector<std::byte>> ModelFrame::Read(const ModelledValue& value,
                                                const ImageMap& next_to_live,
                                                StartAllocations& allocations,
                                                Addr live_end) const {
  const int number = value.to.register_number;
  Addr holder = end_ + static_cast<uint64_t>(value.to.at);
  std::vector<std::byte> bytes(value.to.size);
  if (number != kNoRegister) {
    holder = SavedAt(*frame_, number);
    MCR_ASSIGN(const uint64_t word, RegisterIn(*frame_, *next_, thread_->registers, number));
    std::memcpy(bytes.data(), &word, std::min<uint64_t>(bytes.size(), kWord));
  } else {
    MCR_TRY(next_->Read(holder, bytes));
  }
  for (uint64_t at = 0; value.may_point && at + kWord <= bytes.size(); at += kWord) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, kWord);
    const ImageMap::Word translated = next_to_live.Translate(word);
    uint64_t live = translated.value;
    if (translated.kind == ImageMap::Kind::kForeign) {
      const Addr target(word);
      if (frame_->stack_pointer <= target && target <= end_) {
        live = live_end.value() - (end_ - target);
      } else {
        MCR_ASSIGN(live, allocations.Bring(word, holder + at));
      }
    }
    std::memcpy(bytes.data() + at, &live, kWord);
  }
  return bytes;
}

}  // namespace mcr::mutator
