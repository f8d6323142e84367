#include "mutator/validate/moved_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "mcr/base/mapping.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/red_zone.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kStep = 1 << 20;  // bytes that are read at a time

class Searcher {
 public:
  Searcher(const checkpoint::ProcessImage& image, const WordMatch& words,
           const Overwritten& overwritten, Finding& finding)
      : image_(image), words_(words), overwritten_(overwritten), finding_(finding) {
    const auto& objects = words.account().objects;
    hull_ = *Range<Addr>::FromTo(objects.front().before.begin(), objects.back().before.end() + 1);
    compared_ = words.account().laid_out_anew;
    const Account& account = words.account();
    for (const auto* others : {&account.heap_from_next, &account.copied, &account.unused}) {
      compared_.insert(compared_.end(), others->begin(), others->end());
    }
    for (const Account::Object& object : objects) {
      compared_.push_back(object.before);
      compared_.push_back(PlaceOf(object));
    }
    std::ranges::sort(compared_);
  }

  void Search(const Mapping& mapping, Addr begin, std::span<const std::byte> bytes) {
    auto other = std::ranges::lower_bound(compared_, begin, {},
                                          [](const Range<Addr>& each) { return each.end(); });
    for (size_t at = 0; at + kWord <= bytes.size(); at += kWord) {
      while (other != compared_.end() && other->end() <= begin + at) ++other;
      if (other != compared_.end() && other->Contains(begin + at)) continue;
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, kWord);
      if (hull_.Contains(Addr(word))) Word(mapping, begin + at, word);
    }
  }

 private:
  // With what malloc gave beyond what was asked for.
  Range<Addr> PlaceOf(const Account::Object& object) const {
    const bool from_malloc = object.moves && !object.in_region;
    const HeapChunk* chunk = from_malloc ? words_.heap().Find(object.after) : nullptr;
    return chunk != nullptr ? chunk->payload
                            : *Range<Addr>::FromSize(object.after, object.after_size);
  }

  void Word(const Mapping& mapping, Addr at, uint64_t word) {
    const Account::Object* object = words_.ObjectOf(word);
    if (object == nullptr || overwritten_.Holds(at)) return;
    ++finding_.checked;
    const WordVerdict verdict = words_.Check(word, word, {});
    if (verdict.ok() || IsDead(at) || IsMallocs(at, word)) return;
    const std::string place = mapping.path.empty() ? "anonymous memory" : mapping.path;
    finding_.Wrong(fmt::format("the word at {} in {} still {}", Hex(at), place, verdict.wrong));
  }

  // Memory that nobody reads any more.
  bool IsDead(Addr at) const {
    const HeapChunk* chunk = words_.heap().Find(at);
    if (chunk != nullptr) return !chunk->in_use;
    return std::ranges::any_of(image_.threads(), [&](const checkpoint::ThreadImage& thread) {
      const Addr pointer(thread.registers.rsp);
      const Mapping* stack = FindMapping(image_.mappings(), pointer);
      return stack != nullptr && stack->range.Contains(at) && at + kWord + kRedZone <= pointer;
    });
  }

  // malloc's own tables hold addresses of blocks, which begin a word before the end of what the
  // block before may use.
  bool IsMallocs(Addr at, uint64_t word) const {
    const HeapChunk* block = words_.heap().Find(Addr(word));
    return block != nullptr && Addr(word) + kWord == block->payload.end() &&
           words_.heap().Find(at) == nullptr;
  }

  const checkpoint::ProcessImage& image_;
  const WordMatch& words_;
  const Overwritten& overwritten_;
  Finding& finding_;
  Range<Addr> hull_;
  std::vector<Range<Addr>> compared_;  // by address: what has been compared as a whole
};

}  // namespace

Status CheckMovedPointers(const checkpoint::ProcessImage& image, const WordMatch& words,
                          const Overwritten& overwritten, bool skip_shared, Finding& finding) {
  const Account& account = words.account();
  if (account.objects.empty()) return {};
  Searcher searcher(image, words, overwritten, finding);
  std::vector<Range<Addr>> modules;
  for (const Account::Module& module : account.modules) {
    modules.push_back(module.before);
    modules.push_back(module.after);
  }
  std::ranges::sort(modules);
  std::vector<std::byte> bytes;
  for (const Mapping& mapping : ScannedOutside(image, modules)) {
    if (!mapping.writable || (mapping.shared && skip_shared)) continue;
    MCR_ASSIGN(const auto populated, image.PopulatedRanges(mapping.range));
    for (const Range<Addr>& range : populated) {
      for (Addr at = range.begin(); at < range.end(); at = at + bytes.size()) {
        bytes.resize(std::min(kStep, range.end() - at));
        MCR_TRY(image.Read(at, bytes));
        searcher.Search(mapping, at, bytes);
      }
    }
  }
  return {};
}

}  // namespace mcr::mutator
