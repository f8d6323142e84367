#include "mutator/merge/reshape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr size_t kWord = 8;

class Reshaper {
 public:
  Reshaper(const MemoryReader& live, const LiveWords& words, const StartHeapMerge& start_heap,
           checkpoint::ProcessGraft& graft)
      : live_(live), words_(words), start_heap_(start_heap), graft_(graft) {}

  Status Write(const ObjectMove& move) {
    const Object& object = *move.object;
    const Recipe& recipe = *object.recipe;
    std::vector<std::byte> from(object.memory.size()), to(move.to_size);
    MCR_TRY(live_.Read(object.memory.begin(), from));
    std::vector<uint64_t> placeholders;
    const TranslateWord translate = [&](const ValueWord& word) -> Result<uint64_t> {
      const bool is_old = word.meaning != ValueWord::Meaning::kNew;
      if (is_old && start_heap_.Replaces(object.memory.begin() + word.from)) return 0;
      MCR_ASSIGN(const uint64_t value, words_.Translate(word));
      if (IsPlaceholder(value)) placeholders.push_back(word.to);
      return value;
    };
    if (recipe.flexible) {
      MCR_TRY(Apply(recipe, from, to, translate));
    } else {
      MCR_TRY(ApplyAll(recipe, object.count - object.spare, from, to, translate));
    }
    if (move.moves) {
      graft_.allocated_writes.Add(move.to, to);
    } else {
      graft_.writes.Add(move.to, to);
    }
    for (const uint64_t at : placeholders) {
      uint64_t value;
      std::memcpy(&value, to.data() + at, kWord);
      graft_.allocated_words.push_back({move.to + at, Addr(value)});
    }
    return {};
  }

 private:
  const MemoryReader& live_;
  const LiveWords& words_;
  const StartHeapMerge& start_heap_;
  checkpoint::ProcessGraft& graft_;
};

}  // namespace

void Reshape(const MemoryReader& live, const ObjectMoves& moves, const LiveWords& words,
             const StartHeapMerge& start_heap, checkpoint::ProcessGraft& graft,
             std::vector<std::string>& problems) {
  Reshaper reshaper(live, words, start_heap, graft);
  moves.AddTo(graft);
  for (const ObjectMove& move : moves.all()) {
    const Status written = reshaper.Write(move);
    if (written) continue;
    problems.push_back(fmt::format("{} at {} (found by `{}`): {}", *move.type_name,
                                   Hex(move.object->memory.begin()), *move.object->found_by,
                                   written.error().Line()));
  }
}

}  // namespace mcr::mutator
