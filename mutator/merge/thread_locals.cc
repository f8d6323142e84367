#include "mutator/merge/thread_locals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mutator/merge/live_words.h"
#include "mutator/merge/thread_local_pointers.h"
#include "mutator/merge/variable_pairs.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

using Block = StaticTls::Block;
using BlockPair = ThreadLocalPlaces::BlockPair;

uint64_t WordAt(std::span<const std::byte> bytes, size_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, kWord);
  return word;
}

void SetWord(std::span<std::byte> bytes, size_t at, uint64_t word) {
  std::memcpy(bytes.data() + at, &word, kWord);
}

// What a thread begins with.
Result<std::vector<std::byte>> ReadInitial(const checkpoint::ProcessImage& image,
                                           const Block& block) {
  std::vector<std::byte> bytes(block.initial.size());
  MCR_TRY(image.Read(block.initial.begin(), bytes));
  bytes.resize(block.size);
  return bytes;
}

// The blocks of one thread.
class ThreadBlocks {
 public:
  ThreadBlocks(const ThreadLocalsContext& context, const ThreadLocalPlaces& places,
               const ThreadLocalPlaces::Thread& thread, ThreadLocalPointers& pointers,
               checkpoint::ProcessGraft& graft, MergePlan& plan)
      : context_(context),
        places_(places),
        thread_(thread),
        pointers_(pointers),
        graft_(graft),
        plan_(plan) {}

  Status Move() {
    live_.resize(thread_.blocks.size());
    MCR_TRY(context_.live.Read(thread_.blocks.begin(), live_));
    merged_ = live_;
    TakeWrites();
    std::vector<std::byte> blocks(places_.after().used());
    for (const BlockPair& pair : places_.pairs()) {
      const auto into = std::span(blocks).last(pair.after->distance).first(pair.after->size);
      if (pair.module != nullptr) {
        MCR_TRY(FillChanged(pair, into));
      } else {
        std::ranges::copy(Of(pair, merged_), into.begin());
      }
    }
    const std::string holder =
        fmt::format("a thread-local variable of thread {}", thread_.image->tid);
    for (size_t at = blocks.size() % kWord; at + kWord <= blocks.size(); at += kWord) {
      SetWord(blocks, at, pointers_.Translate(WordAt(blocks, at), holder));
    }
    graft_.writes.Add(thread_.control_block - blocks.size(), blocks);
    return {};
  }

 private:
  static std::span<const std::byte> Of(const BlockPair& pair,
                                       const std::vector<std::byte>& blocks) {
    return std::span(blocks).last(pair.before->distance).first(pair.before->size);
  }

  // What is written to them.
  void TakeWrites() {
    for (const checkpoint::WriteList::Entry& entry : graft_.writes.entries()) {
      if (!thread_.blocks.Contains(entry.at)) continue;
      const auto into = std::span(merged_).subspan(entry.at - thread_.blocks.begin());
      const auto bytes = graft_.writes.bytes(entry);
      std::ranges::copy(bytes.first(std::min(bytes.size(), into.size())), into.begin());
    }
  }

  Status FillChanged(const BlockPair& pair, std::span<std::byte> into) {
    MCR_ASSIGN(const std::vector<std::byte> initial, ReadInitial(context_.next, *pair.after));
    std::ranges::copy(initial, into.begin());
    for (size_t at = 0; at + kWord <= into.size(); at += kWord) {
      const ImageMap::Word word = context_.next_to_live.Translate(WordAt(into, at));
      if (word.kind == ImageMap::Kind::kPointer) SetWord(into, at, word.value);
    }
    MCR_ASSIGN(const std::vector<std::byte> untouched, ReadInitial(context_.live, *pair.before));
    for (const VariablePair& variable :
         PairThreadLocals(pair.module->before(), pair.module->after())) {
      MCR_TRY(FillVariable(pair, variable, untouched, into));
    }
    CheckKnown(pair, untouched);
    return {};
  }

  // What nobody has touched begins as the new version has it.
  Status FillVariable(const BlockPair& pair, const VariablePair& variable,
                      std::span<const std::byte> untouched, std::span<std::byte> block) {
    const Range<FileAddr> from = variable.before->range, to = variable.after->range;
    if (from.end().value() > untouched.size() || to.end().value() > block.size()) {
      return Fail("a thread-local variable is outside of its module's storage",
                  variable.before->name);
    }
    const auto live = Of(pair, live_).subspan(from.begin().value(), from.size());
    if (std::ranges::equal(live, untouched.subspan(from.begin().value(), from.size()))) {
      ++plan_.variables.initialised;
      return {};
    }
    ++plan_.variables.kept;
    const auto into = block.subspan(to.begin().value(), to.size());
    const bool typed = variable.before->type != 0 && variable.after->type != 0;
    const Recipe* recipe =
        typed ? &pair.module->map().RecipeOf(*variable.before, *variable.after) : nullptr;
    if (recipe == nullptr || recipe->identity) {
      const auto merged = Of(pair, merged_).subspan(from.begin().value(), from.size());
      std::ranges::copy(merged.first(std::min(from.size(), to.size())), into.begin());
      return {};
    }
    const LiveWords words(context_.modules, context_.moves, pair.module, &context_.stacks);
    const Addr place = thread_.control_block - pair.after->distance + to.begin().value();
    const TranslateWord translate = [&](const ValueWord& word) -> Result<uint64_t> {
      MCR_ASSIGN(const uint64_t value, words.Translate(word));
      if (IsPlaceholder(value)) graft_.allocated_words.push_back({place + word.to, Addr(value)});
      return value;
    };
    const Status applied = Apply(*recipe, live, into, translate);
    if (applied) return {};
    Problem(fmt::format("thread-local variable `{}` of thread {}: {}", variable.before->name,
                        thread_.image->tid, applied.error().Line()));
    return {};
  }

  // What a thread has written where no variable is known must not be lost.
  void CheckKnown(const BlockPair& pair, std::span<const std::byte> untouched) {
    const auto live = Of(pair, live_);
    std::vector<std::byte> unknown(live.begin(), live.end());
    for (const Variable& variable : pair.module->before().variables()) {
      const Range<FileAddr> range = variable.range;
      if (!variable.thread_local_storage || range.end().value() > unknown.size()) continue;
      std::ranges::copy(untouched.subspan(range.begin().value(), range.size()),
                        unknown.begin() + static_cast<ptrdiff_t>(range.begin().value()));
    }
    if (std::ranges::equal(unknown, untouched)) return;
    Problem(
        fmt::format("thread-local variables change, and thread {} has some in {} that debug "
                    "information does not describe",
                    thread_.image->tid, pair.module->live.path));
  }

  void Problem(const std::string& text) {
    plan_.problems.push_back(fmt::format("process {}: {}", context_.live.pid(), text));
  }

  const ThreadLocalsContext& context_;
  const ThreadLocalPlaces& places_;
  const ThreadLocalPlaces::Thread& thread_;
  ThreadLocalPointers& pointers_;
  checkpoint::ProcessGraft& graft_;
  MergePlan& plan_;
  // Of all old blocks: as they are, and with what is written to them.
  std::vector<std::byte> live_, merged_;
};

}  // namespace

Status MergeThreadLocals(const ThreadLocalsContext& context, checkpoint::ProcessGraft& graft,
                         Account& account, MergePlan& plan) {
  const auto places = ThreadLocalPlaces::Find(context);
  if (!places) {
    plan.problems.push_back(
        fmt::format("process {}: {}", context.live.pid(), places.error().Line()));
    return {};
  }
  if (*places == nullptr) return {};
  ThreadLocalPointers pointers(context, **places, graft, account, plan);
  pointers.MoveWritten();
  for (checkpoint::AllocatedWord& word : graft.allocated_words) {
    word.at = Addr(pointers.Translate(word.at.value(), "an object of a changed type"));
  }
  for (const ThreadLocalPlaces::Thread& thread : (*places)->threads()) {
    MCR_TRY(ThreadBlocks(context, **places, thread, pointers, graft, plan).Move());
    const Addr begin =
        std::min(thread.blocks.begin(), thread.control_block - (*places)->after().used());
    account.laid_out_anew.push_back(*Range<Addr>::FromTo(begin, thread.control_block));
  }
  return pointers.Move();
}

}  // namespace mcr::mutator
