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
  // Fewer lower bytes may well be the same in two pointers.
  constexpr unsigned kByte = 8, kFewest = 24, kPointer = 48;  // bits
  for (unsigned shift = kFewest; shift < kPointer; shift += kByte) {
    const uint64_t lower = (uint64_t{1} << shift) - 1;
    if ((here & lower) != (there & lower)) return false;
    if (EndLikePointer(here >> shift, shift) && other.EndLikePointer(there >> shift, shift)) {
      return true;
    }
  }
  return false;
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
