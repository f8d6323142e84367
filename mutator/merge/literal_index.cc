#include "mutator/merge/literal_index.h"

#include <algorithm>
#include <utility>

namespace mcr::mutator {
namespace {

bool HoldsLiterals(const Section& section) {
  return section.allocated && !section.writable && !section.executable && !section.no_bits &&
         (section.name.starts_with(".rodata") || section.name == ".dynstr" ||
          section.name == ".interp");
}

std::string_view TextOf(const Program& program, const Section& section) {
  const auto bytes = program.Contents(section.range.begin());
  const size_t size = std::min<size_t>(bytes.size(), section.range.size());
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

LiteralIndex::LiteralIndex(std::shared_ptr<const Program> before,
                           std::shared_ptr<const Program> after)
    : before_(std::move(before)), after_(std::move(after)) {
  for (const Section& section : after_->sections()) {
    if (!HoldsLiterals(section)) continue;
    const std::string_view bytes = TextOf(*after_, section);
    sections_.push_back({section.range.begin(), bytes});
    for (size_t at = 0; at < bytes.size();) {
      const size_t end = std::min(bytes.find('\0', at), bytes.size());
      if (end < bytes.size()) {
        whole_.emplace(bytes.substr(at, end - at), section.range.begin() + at);
      }
      at = end + 1;
    }
  }
}

std::optional<FileAddr> LiteralIndex::FindWhole(std::string_view text) const {
  const auto found = whole_.find(text);
  if (found == whole_.end()) return std::nullopt;
  return found->second;
}

std::optional<FileAddr> LiteralIndex::FindRest(std::string_view text) const {
  // With its terminator: a longer string that merely contains the text would not do.
  const std::string_view terminated(text.data(), text.size() + 1);
  for (const Text& section : sections_) {
    const size_t at = section.bytes.find(terminated);
    if (at != std::string_view::npos) return section.at + at;
  }
  return std::nullopt;
}

bool LiteralIndex::MayHold(FileAddr old_address) const {
  const Section* section = before_->FindSection(old_address);
  return section != nullptr && HoldsLiterals(*section);
}

std::optional<FileAddr> LiteralIndex::Translate(FileAddr old_address) const {
  const Section* section = before_->FindSection(old_address);
  if (section == nullptr || !HoldsLiterals(*section)) return std::nullopt;
  const std::string_view bytes = TextOf(*before_, *section);
  const size_t at = old_address - section->range.begin();
  const size_t end = bytes.find('\0', at);
  if (at >= bytes.size() || end == std::string_view::npos) return std::nullopt;
  size_t begin = at;
  while (begin > 0 && bytes[begin - 1] != '\0') --begin;

  if (const auto whole = FindWhole(bytes.substr(begin, end - begin))) return *whole + (at - begin);
  const std::string_view rest = bytes.substr(at, end - at);
  if (const auto whole = FindWhole(rest)) return whole;
  return FindRest(rest);
}

}  // namespace mcr::mutator
