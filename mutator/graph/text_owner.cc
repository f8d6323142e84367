#include "mutator/graph/text_owner.h"

#include <optional>
#include <vector>

#include "mcr/base/mapping.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

// What a text that ends at `end` says of the word that begins at `word`.
std::optional<TextEvidence> Judge(Addr end, Addr word) {
  if (word < end && end - word < kWord) return TextEvidence{TextTail::kCovers, end - word};
  if (end <= word && word - end < kWord) return TextEvidence{TextTail::kEndsBefore};
  return std::nullopt;
}

// `neighbour` next to a pointer to `begin`: an end or a length.
std::optional<TextEvidence> JudgePair(Addr begin, uint64_t neighbour, Addr word) {
  if (const auto as_end = Judge(Addr(neighbour), word)) return as_end;
  return neighbour < kTextContext + kWord ? Judge(begin + neighbour, word) : std::nullopt;
}

std::optional<TextEvidence> JudgePointer(const checkpoint::ProcessImage& image,
                                         const LikelyPointer& pointer, Addr word) {
  for (const Addr neighbour : {pointer.at - kWord, pointer.at + kWord}) {
    const auto value = image.ReadValue<uint64_t>(neighbour);
    if (!value) continue;
    if (auto evidence = JudgePair(Addr(pointer.target), *value, word)) return evidence;
  }
  return std::nullopt;
}

}  // namespace

Result<TextEvidence> FindTextOwner(const checkpoint::ProcessImage& image, Range<Addr> text) {
  const PointerGuard guard = ReadPointerGuard(image);
  const auto vicinity = *Range<Addr>::FromTo(text.end() - kTextContext, text.end());
  TextEvidence unknown{TextTail::kUnknown, 0, text.size(), false};
  for (const Mapping& mapping : image.mappings()) {
    if (!IsScanned(mapping)) continue;
    MCR_ASSIGN(const std::vector<LikelyPointer> pointers,
               ScanMapping(image, mapping, std::span(&vicinity, 1), guard));
    for (const LikelyPointer& pointer : pointers) {
      if (pointer.mangled || !pointer.aligned()) continue;
      unknown.referenced = true;
      if (!text.Contains(Addr(pointer.target))) continue;
      if (auto evidence = JudgePointer(image, pointer, text.end())) return *evidence;
    }
  }
  return unknown;
}

}  // namespace mcr::mutator
