#include "mutator/merge/thread_local_places.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {
namespace {

using Block = StaticTls::Block;

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kLongestVector = 1 << 16;  // entries
constexpr TypeId kNoType = ~TypeId{0};
constexpr char kRestart[] = "restart the server for this update";

// Whether what the loader has written into the new version depends on where the blocks are.
bool RefersToBlocks(const ChangedModule& module) {
  return module.after().tls_size() != 0 ||
         std::ranges::any_of(module.after().relocations(), [](const Relocation& each) {
           return each.type == R_X86_64_DTPMOD64 || each.type == R_X86_64_DTPOFF64 ||
                  each.type == R_X86_64_TPOFF64 || each.type == R_X86_64_TLSDESC;
         });
}

bool HasOthers(const ChangedModule& module) {
  return !SameThreadLocals(module.before(), module.after());
}

// Where an offset into the old version's block of a module is in the new one's.
std::optional<uint64_t> NewOffset(const ChangedModule& module, uint64_t offset) {
  const FileAddr at(offset);
  for (const VariablePair& pair : PairThreadLocals(module.before(), module.after())) {
    if (!pair.before->range.Contains(at)) continue;
    const uint64_t inside = at - pair.before->range.begin();
    const uint64_t begin = pair.after->range.begin().value();
    if (pair.before->type == 0 || pair.after->type == 0) return begin + inside;
    // Nothing says whether a struct is meant or its first member, which may have come apart.
    const Recipe& recipe = module.map().RecipeOf(*pair.before, *pair.after);
    const auto whole = MapOffset(recipe, inside), member = MapOffset(recipe, inside, kNoType);
    return whole && whole == member ? std::optional(begin + *whole) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<ThreadLocalPlaces>> ThreadLocalPlaces::Find(
    const ThreadLocalsContext& context) {
  auto before = StaticTls::Find(context.live, context.live_modules, context.live_links);
  auto after = StaticTls::Find(context.next, context.next_modules, context.next_links);
  // Another C library: what does not change need not be understood.
  if ((!before || !after) && std::ranges::none_of(context.modules.all(), HasOthers)) return nullptr;
  MCR_TRY(before);
  MCR_TRY(after);
  std::unique_ptr<ThreadLocalPlaces> places(
      new ThreadLocalPlaces(context, *std::move(before), *std::move(after)));
  MCR_TRY(places->CheckChanged());
  if (!places->PairBlocks()) return nullptr;
  MCR_TRY(places->CheckUnchanged());
  MCR_TRY(places->FindRoom());
  MCR_TRY(places->FindThreads());
  return places;
}

// The loader's list of who has thread-local variables stays as it is.
Status ThreadLocalPlaces::CheckChanged() const {
  for (const ChangedModule& module : context_.modules.all()) {
    const Block* before = before_.Of(module.live);
    const Block* after = after_.Of(module.next);
    if ((before == nullptr) != (after == nullptr)) {
      return Fail(before == nullptr ? "the new version has the first thread-local variables"
                                    : "the new version has no thread-local variables any more",
                  module.live.path, kRestart);
    }
    if (before != nullptr && before->id != after->id) {
      return Fail("the new version's start-up numbers its thread-local variables otherwise",
                  module.live.path, kRestart);
    }
  }
  return {};
}

bool ThreadLocalPlaces::PairBlocks() {
  bool changes = false;
  for (const Block& block : before_.blocks()) {
    BlockPair pair{&block};
    const auto changed = std::ranges::find_if(
        context_.modules.all(),
        [&](const ChangedModule& each) { return each.live.range == block.module->range; });
    const LoadedModule* next = nullptr;
    if (changed != context_.modules.all().end()) {
      pair.module = &*changed;
      next = &changed->next;
      changes |= HasOthers(*changed);
    } else {
      next = context_.next_modules.ByPath(block.module->path);
    }
    pair.after = next == nullptr ? nullptr : after_.Of(*next);
    const bool moves = pair.after == nullptr || pair.after->distance != block.distance;
    changes |= moves && (pair.module != nullptr ||
                         std::ranges::any_of(context_.modules.all(), RefersToBlocks));
    pairs_.push_back(pair);
  }
  return changes;
}

Status ThreadLocalPlaces::CheckUnchanged() const {
  for (const BlockPair& pair : pairs_) {
    if (pair.after != nullptr) continue;
    return Fail(
        "thread-local variables change, and those of a module that the new version's "
        "start-up does not load would be in their way",
        pair.before->module->path, kRestart);
  }
  return {};
}

Status ThreadLocalPlaces::FindRoom() {
  if (after_.used() <= before_.used()) return {};
  MCR_ASSIGN(const StaticTls::Room room,
             StaticTls::FindRoom(context_.live, context_.live_modules, before_, context_.next,
                                 context_.next_modules, after_));
  for (const Block& block : after_.blocks()) {
    if (block.alignment <= room.alignment) continue;
    return Fail("a thread-local variable is aligned more strictly than the server's threads are",
                block.module->path, kRestart);
  }
  if (after_.used() > room.size) {
    return Fail(fmt::format("thread-local variables take {} bytes in the new version, and the "
                            "server's threads have room for {}",
                            after_.used(), room.size),
                "PID " + std::to_string(context_.live.pid()), kRestart);
  }
  used_slot_ = room.used_slot;
  return {};
}

Status ThreadLocalPlaces::FindThreads() {
  for (const checkpoint::ThreadImage& image : context_.live.threads()) {
    const Addr control_block(image.registers.fs_base);
    if (control_block.IsNull()) continue;  // nothing is known of a thread that runs
    const auto blocks = Range<Addr>::FromTo(control_block - before_.used(), control_block);
    if (!blocks) return Fail("a thread has no control block", "TID " + std::to_string(image.tid));
    MCR_ASSIGN(const Range<Addr> vector, FindVector(control_block));
    threads_.push_back({&image, control_block, *blocks, vector});
  }
  std::ranges::sort(threads_, {}, &Thread::control_block);
  return {};
}

const ThreadLocalPlaces::Thread* ThreadLocalPlaces::ThreadAt(Addr at) const {
  const auto after = std::ranges::upper_bound(threads_, at, {}, &Thread::control_block);
  return after != threads_.end() && after->blocks.Contains(at) ? &*after : nullptr;
}

std::optional<uint64_t> ThreadLocalPlaces::NewDistance(uint64_t distance) const {
  const Block* block = before_.At(distance);
  const auto pair = std::ranges::find(pairs_, block, &BlockPair::before);
  if (block == nullptr || pair == pairs_.end()) return std::nullopt;
  const uint64_t offset = block->distance - distance;
  const auto to = pair->module == nullptr ? offset : NewOffset(*pair->module, offset);
  return to ? std::optional(pair->after->distance - *to) : std::nullopt;
}

// The first word of the vector counts its entries; each is where a block begins, and what to free
// (glibc, sysdeps/generic/dl-dtv.h).
Result<Range<Addr>> ThreadLocalPlaces::FindVector(Addr control_block) const {
  constexpr uint64_t kEntry = 16;
  MCR_ASSIGN(const auto vector, context_.live.ReadValue<uint64_t>(control_block + kWord));
  MCR_ASSIGN(const auto length, context_.live.ReadValue<uint64_t>(Addr(vector) - kEntry));
  const auto range = Range<Addr>::FromSize(Addr(vector), (length + 1) * kEntry);
  if (!range || length > kLongestVector) {
    return Fail("a thread's vector of thread-local storage is damaged", Hex(vector));
  }
  return *range;
}

bool ThreadLocalPlaces::IsBlockStart(Addr at) const {
  return std::ranges::any_of(threads_,
                             [&](const Thread& thread) { return thread.vector.Contains(at); });
}

std::optional<uint64_t> ThreadLocalPlaces::NewStart(uint64_t distance) const {
  const auto pair = std::ranges::find_if(
      pairs_, [&](const BlockPair& each) { return each.before->distance == distance; });
  return pair == pairs_.end() ? std::nullopt : std::optional(pair->after->distance);
}

}  // namespace mcr::mutator
