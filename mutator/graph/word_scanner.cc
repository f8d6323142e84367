#include "mutator/graph/word_scanner.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>

#include "mutator/graph/text_tail.h"

namespace mcr::mutator {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
// User addresses are below 2^47: the two top bytes are zero, and the one below changes every TiB
// only, so that it is rare enough to be searched for with memchr, far faster than loading a word at
// every byte.
constexpr size_t kRareByte = 5;

uint64_t Load(const std::byte* at) {
  uint64_t word;
  std::memcpy(&word, at, kWord);
  return word;
}

// The ranges that pointers are looked for into, sorted.
class Targets {
 public:
  explicit Targets(std::span<const Range<Addr>> ranges)
      : ranges_(ranges),
        begin_(ranges.front().begin().value()),
        size_(ranges.back().end().value() - begin_) {}

  bool Hold(uint64_t word) const {
    // True of nearly all words, and much faster than the search.
    if (word - begin_ > size_) return false;
    const auto after = std::ranges::upper_bound(ranges_, Addr(word), {}, &Range<Addr>::begin);
    return after != ranges_.begin() && Addr(word) <= std::prev(after)->end();
  }

 private:
  std::span<const Range<Addr>> ranges_;
  uint64_t begin_, size_;
};

void ScanPlain(std::span<const std::byte> bytes, Addr start, const Targets& targets, uint8_t rare,
               std::vector<LikelyPointer>& into) {
  size_t from = kRareByte;
  while (from + (kWord - kRareByte) <= bytes.size()) {
    const void* found =
        std::memchr(bytes.data() + from, rare, bytes.size() - (kWord - kRareByte) + 1 - from);
    if (found == nullptr) return;
    const size_t at = static_cast<const std::byte*>(found) - bytes.data() - kRareByte;
    const uint64_t word = Load(bytes.data() + at);
    if (targets.Hold(word)) {
      const bool may_be_text = at == 0 || MayGoOnText(bytes[at - 1], bytes[at]);
      into.push_back({start + at, word, false, may_be_text});
    }
    from = at + kRareByte + 1;
  }
}

// By value, as all that the loop needs: what it writes to might be what a reference refers to.
void ScanMangled(std::span<const std::byte> bytes, Addr start, const Targets targets,
                 const PointerGuard guard, std::vector<LikelyPointer>& into) {
  for (size_t at = -start.value() % kWord; at + kWord <= bytes.size(); at += kWord) {
    const uint64_t word = guard.Demangle(Load(bytes.data() + at));
    if (targets.Hold(word)) into.push_back({start + at, word, true, false});
  }
}

}  // namespace

void ScanWords(std::span<const std::byte> bytes, Addr start, std::span<const Range<Addr>> targets,
               const PointerGuard& guard, std::vector<LikelyPointer>& into) {
  if (targets.empty()) return;
  const size_t before = into.size();
  const auto rare = [](Addr address) {
    return static_cast<uint8_t>(address.value() >> (8 * kRareByte));
  };
  std::set<uint8_t> rare_bytes;
  for (const Range<Addr>& target : targets) {
    rare_bytes.insert({rare(target.begin()), rare(target.end())});
  }
  const Targets all(targets);
  for (const uint8_t byte : rare_bytes) ScanPlain(bytes, start, all, byte, into);
  ScanMangled(bytes, start, all, guard, into);
  const auto found = std::span(into).subspan(before);
  // Mangled ones are rare, and targets of two kinds, too.
  if (!std::ranges::is_sorted(found, {}, &LikelyPointer::at)) {
    std::ranges::sort(found, {}, &LikelyPointer::at);
  }
}

}  // namespace mcr::mutator
