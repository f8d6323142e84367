#include "mutator/merge/kept_constants.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;

uint64_t PageUp(uint64_t size) { return (size + kPage - 1) & ~(kPage - 1); }

}  // namespace

bool IsConstant(const Program& program, const Section& section) {
  return section.allocated && !section.writable && !section.executable && !section.no_bits &&
         section.name.starts_with(".rodata") &&
         std::ranges::none_of(program.relocations(), [&](const Relocation& relocation) {
           return section.range.Contains(relocation.at);
         });
}

void AddConstants(const Program& program, const Section& section, Addr at,
                  checkpoint::ProcessGraft& graft) {
  const Addr first_page(at.value() & ~(kPage - 1));
  checkpoint::NewMapping mapping;
  mapping.range = *Range<Addr>::FromTo(first_page, Addr(PageUp(at.value() + section.range.size())));
  mapping.protection = PROT_READ;
  mapping.anonymous = true;
  graft.mappings.push_back(mapping);
  const auto bytes = program.Contents(section.range.begin());
  graft.writes.Add(at, bytes.first(std::min<size_t>(bytes.size(), section.range.size())));
}

KeptConstants::KeptConstants(std::shared_ptr<const Program> before, const Program& after)
    : before_(std::move(before)) {
  for (const Segment& segment : after.segments()) {
    room_ = std::max(room_, segment.range.end().value());
  }
  room_ = PageUp(room_);
  for (const Section& section : before_->sections()) {
    if (!IsConstant(*before_, section)) continue;
    parts_.push_back({&section, FileAddr(room_)});
    room_ += PageUp(section.range.size());
  }
}

std::optional<FileAddr> KeptConstants::PlaceFor(FileAddr old_address) const {
  const auto part = std::ranges::find_if(
      parts_, [&](const Part& each) { return each.from->range.Contains(old_address); });
  if (part == parts_.end()) return std::nullopt;
  return part->to + (old_address - part->from->range.begin());
}

void KeptConstants::Use(FileAddr place) {
  for (Part& part : parts_) {
    if (!(place < part.to) && place - part.to < part.from->range.size()) part.used = true;
  }
}

void KeptConstants::Forget() {
  for (Part& part : parts_) part.used = false;
}

void KeptConstants::AddTo(Addr bias, checkpoint::ProcessGraft& graft) const {
  for (const Part& part : parts_) {
    if (part.used) AddConstants(*before_, *part.from, bias + part.to.value(), graft);
  }
}

}  // namespace mcr::mutator
