#include "mutator/graph/same_word.h"

#include <algorithm>
#include <utility>

namespace mcr::mutator {

WordsOf::WordsOf(const checkpoint::ProcessImage& image, LoadedModules modules)
    : mappings_(image.mappings()), modules_(std::move(modules)) {
  const Addr start = image.layout().start_brk;
  const Mapping* mapping = FindMapping(mappings_, start);
  if (mapping != nullptr) heap_ = *Range<Addr>::FromTo(start, mapping->range.end());
}

bool WordsOf::PointElsewhere(uint64_t word) const {
  const Addr to(word);
  return !heap_.Contains(to) && modules_.At(to) == nullptr && FindMapping(mappings_, to) != nullptr;
}

// Memory that an allocator gives out again still holds old pointers, and programs write over part
// of a word.
bool WordsOf::MaySay(uint64_t here, const WordsOf& other, uint64_t there) const {
  if (Say(here, other, there)) return true;
  if (PointElsewhere(here) && other.PointElsewhere(there)) return true;
  // Fewer lower bytes may well be the same in two pointers to what is not the same.
  constexpr unsigned kByte = 8, kFewest = 24, kPointer = 48;  // bits
  for (unsigned shift = kByte; shift < kPointer; shift += kByte) {
    const uint64_t lower = (uint64_t{1} << shift) - 1;
    if ((here & lower) != (there & lower)) return false;
    const uint64_t ours = here >> shift, theirs = there >> shift;
    const bool alike = EndLikePointer(ours, shift) && other.EndLikePointer(theirs, shift);
    if (alike && (shift >= kFewest || AreApart(ours, theirs, shift, other))) return true;
  }
  return false;
}

// As far as what both have is, in the two processes.
bool WordsOf::AreApart(uint64_t ours, uint64_t theirs, unsigned shift, const WordsOf& other) const {
  const uint64_t mask = ~uint64_t{0} >> shift;
  const auto matches = [&](Addr here, Addr there) {
    const uint64_t expected = ((here.value() - there.value()) >> shift) & mask;
    const uint64_t distance = (ours - theirs) & mask;
    return distance == expected || distance == ((expected + 1) & mask);  // with a carry
  };
  if (matches(heap_.begin(), other.heap_.begin())) return true;
  return std::ranges::any_of(modules_.all(), [&](const LoadedModule& module) {
    const LoadedModule* same = other.modules_.ByPath(module.path);
    return same != nullptr && matches(module.range.begin(), same->range.begin());
  });
}

bool WordsOf::EndLikePointer(uint64_t upper, unsigned shift) const {
  return std::ranges::any_of(mappings_, [&](const Mapping& mapping) {
    return mapping.range.begin().value() >> shift <= upper &&
           upper <= mapping.range.end().value() >> shift;
  });
}

bool WordsOf::Say(uint64_t here, const WordsOf& other, uint64_t there) const {
  if (here == there) return true;
  const Addr ours(here), theirs(there);
  if (heap_.Contains(ours)) {
    return other.heap_.Contains(theirs) && ours - heap_.begin() == theirs - other.heap_.begin();
  }
  const LoadedModule* module = modules_.At(ours);
  const LoadedModule* same = other.modules_.At(theirs);
  return module != nullptr && same != nullptr && module->path == same->path &&
         module->build_id == same->build_id &&
         ours - module->range.begin() == theirs - same->range.begin();
}

}  // namespace mcr::mutator
