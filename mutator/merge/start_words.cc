#include "mutator/merge/start_words.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "mcr/base/mapping.h"

namespace mcr::mutator {
namespace {

using Kind = StartWord::Kind;

constexpr uint64_t kPage = 4096;

// A literal's characters; nullopt: there are none.
std::optional<std::string_view> TextAt(const Program& program, FileAddr at) {
  const Section* section = program.FindSection(at);
  if (section == nullptr || !section->name.starts_with(".rodata")) return std::nullopt;
  const std::span<const std::byte> bytes = program.Contents(at);
  const auto end = std::ranges::find(bytes, std::byte{0});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                              static_cast<size_t>(end - bytes.begin()));
  const bool printable = std::ranges::all_of(
      text, [](unsigned char c) { return std::isprint(c) != 0 || std::isspace(c) != 0; });
  if (text.empty() || end == bytes.end() || !printable) return std::nullopt;
  return text;
}

StartWord Text(std::string_view text) { return {Kind::kText, std::hash<std::string_view>{}(text)}; }

}  // namespace

StartWords::StartWords(const ChangedModule& module, const RehearsedHeap& before,
                       const RehearsedHeap& after)
    : module_(module), before_(before), after_(after) {}

StartWord StartWords::OfBase(uint64_t word) {
  if (word < kPage) return {Kind::kValue, word};
  const uint64_t offset = word - before_.heap.bias().value();
  if (offset >= module_.live.range.size()) return Outside(before_, word);
  if (const auto text = TextAt(module_.before(), FileAddr(offset))) return Text(*text);
  const Translation& translation = module_.map().Translate(FileAddr(offset));
  if (translation.kind == PointerKind::kNone) return {Kind::kGone, offset};
  return {Kind::kTarget, translation.to.value()};
}

StartWord StartWords::OfNext(uint64_t word) {
  if (word < kPage) return {Kind::kValue, word};
  const uint64_t offset = word - after_.heap.bias().value();
  if (offset >= module_.next.range.size()) return Outside(after_, word);
  if (const auto text = TextAt(module_.after(), FileAddr(offset))) return Text(*text);
  return {Kind::kTarget, offset};
}

StartWord StartWords::Outside(const Side& side, uint64_t word) {
  if (side.heap.ChunkAt(word) != nullptr) return {Kind::kHeap, 0};
  if (const LoadedModule* module = side.modules.At(Addr(word))) {
    const auto [entry, is_new] = libraries_.try_emplace(module->path, libraries_.size() + 1);
    return {Kind::kLibrary, (entry->second << 48) + (word - module->range.begin().value())};
  }
  if (side.heap.IsPointer(word)) return {Kind::kElsewhere, 0};
  return {Kind::kValue, word};
}

}  // namespace mcr::mutator
