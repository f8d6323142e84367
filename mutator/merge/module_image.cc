#include "mutator/merge/module_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>
#include <utility>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kWord = sizeof(uint64_t);
// Differing bytes nearer to each other than this are written in one go.
constexpr size_t kJoin = 64;

Range<FileAddr> Pages(Range<FileAddr> range) {
  const FileAddr begin(range.begin().value() & ~(kPage - 1));
  const FileAddr end((range.end().value() + kPage - 1) & ~(kPage - 1));
  return *Range<FileAddr>::FromTo(begin, end);
}

uint64_t LoadWord(std::span<const std::byte> bytes, size_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, kWord);
  return word;
}

}  // namespace

struct ModuleImageBuilder::Part {
  const Segment* segment = nullptr;
  Range<FileAddr> range;          // whole pages
  std::vector<std::byte> bytes;   // of `range`
  std::set<FileAddr> foreign;     // words that point into the rehearsal's own heap or stack

  std::span<std::byte> At(Range<FileAddr> wanted) {
    return std::span(bytes).subspan(wanted.begin() - range.begin(), wanted.size());
  }
};

bool StaysWritable(const Program& program, Range<FileAddr> range) {
  // What shares RELRO's last, partial page is writable, but what RELRO covers is not meant to change.
  if (!program.relro().empty() && program.relro().Overlaps(range)) return false;
  return std::ranges::any_of(program.segments(), [&](const Segment& segment) {
    return segment.writable && segment.range.Contains(range);
  });
}

std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after) {
  std::unordered_map<std::string, const Variable*> old_variables;
  for (const Variable& variable : before.variables()) {
    if (!variable.thread_local_storage) old_variables.emplace(variable.Key(), &variable);
  }
  std::vector<VariablePair> pairs;
  for (const Variable& variable : after.variables()) {
    if (variable.thread_local_storage || !StaysWritable(after, variable.range)) continue;
    const auto found = old_variables.find(variable.Key());
    if (found == old_variables.end() || !StaysWritable(before, found->second->range)) continue;
    pairs.push_back({found->second, &variable});
  }
  return pairs;
}

ModuleImageBuilder::ModuleImageBuilder(std::shared_ptr<const Program> before,
                                       std::shared_ptr<const Program> after, AddressMap& map)
    : before_(before),
      after_(after),
      map_(map),
      pairs_(PairWritableVariables(*before, *after)),
      initial_before_(before),
      initial_after_(after) {}

Status ModuleImageBuilder::Build(const Sources& sources, checkpoint::ProcessGraft& graft,
                                 MergePlan& plan) const {
  MCR_ASSIGN(std::vector<Part> parts, ReadNext(sources));
  MCR_TRY(MergeVariables(sources, parts, plan));
  RefuseForeign(parts, plan);
  for (const Part& part : parts) EmitWrites(part, sources.new_bias, graft.writes);
  return {};
}

// The new program's own start-up is the model: its GOT, its tables, its .dynamic, in the live process's terms.
Result<std::vector<ModuleImageBuilder::Part>> ModuleImageBuilder::ReadNext(
    const Sources& sources) const {
  std::vector<Part> parts;
  for (const Segment& segment : after_->segments()) {
    if (!segment.writable) continue;
    Part part{&segment, Pages(segment.range), {}, {}};
    part.bytes.resize(part.range.size());
    MCR_TRY(sources.next.Read(sources.next_bias + part.range.begin().value(), part.bytes));
    for (size_t at = 0; at < part.bytes.size(); at += kWord) {
      const uint64_t word = LoadWord(part.bytes, at);
      if (word < kPage) continue;
      const ImageMap::Word translated = sources.next_to_live.Translate(word);
      if (translated.kind == ImageMap::Kind::kForeign) {
        part.foreign.insert(part.range.begin() + at);
      } else if (translated.value != word) {
        std::memcpy(part.bytes.data() + at, &translated.value, kWord);
      }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Status ModuleImageBuilder::MergeVariables(const Sources& sources, std::vector<Part>& parts,
                                          MergePlan& plan) const {
  for (const Segment& old_segment : before_->segments()) {
    if (!old_segment.writable) continue;
    std::vector<std::byte> live(old_segment.range.size());
    const Addr start = sources.live_bias + old_segment.range.begin().value();
    MCR_TRY(sources.live.Read(start, live));
    std::vector<LikelyPointer> pointers;
    ScanWords(live, start, plan.old_program, sources.guard, pointers);

    for (const VariablePair& pair : pairs_) {
      if (!old_segment.range.Contains(pair.before->range)) continue;
      const auto bytes = std::span(live).subspan(
          pair.before->range.begin() - old_segment.range.begin(), pair.before->range.size());
      auto part = std::ranges::find_if(
          parts, [&](const Part& p) { return p.range.Contains(pair.after->range); });
      if (part == parts.end()) continue;
      TakeLive(sources, pair, bytes, pointers, *part, plan);
    }
  }
  return {};
}

void ModuleImageBuilder::TakeLive(const Sources& sources, const VariablePair& pair,
                                  std::span<const std::byte> live,
                                  const std::vector<LikelyPointer>& pointers, Part& part,
                                  MergePlan& plan) const {
  const Range<FileAddr> to = pair.after->range;
  if (initial_before_.IsUntouched(pair.before->range, live, sources.live_bias.value())) {
    if (initial_after_.IsUntouched(to, part.At(to), sources.new_bias.value())) {
      ++plan.variables.initialised;
      return;
    }
    // The old version's start-up may well have set it, too, and the server have set it back: only a rehearsal of the
    // old version could tell. What the server has is right in any case.
  }
  const auto old_default = initial_before_.PlainValue(pair.before->range);
  const auto new_default = initial_after_.PlainValue(to);
  if (!old_default.empty() && !new_default.empty() && old_default != new_default) {
    plan.conflicts.push_back("`" + pair.after->name +
                             "`: the new version starts with another value, the server had "
                             "changed it; the server's was kept");
  }
  ++plan.variables.kept;
  part.foreign.erase(part.foreign.lower_bound(to.begin()), part.foreign.lower_bound(to.end()));
  std::ranges::copy(live.first(std::min<size_t>(live.size(), to.size())), part.At(to).begin());

  const Addr begin = sources.live_bias + pair.before->range.begin().value();
  const Addr end = begin + std::min(pair.before->range.size(), to.size());
  auto pointer = std::ranges::lower_bound(pointers, begin, {}, &LikelyPointer::at);
  for (; pointer != pointers.end() && pointer->at + kWord <= end; ++pointer) {
    const FileAddr target(pointer->target - sources.live_bias.value());
    const Translation& translation = map_.Translate(target);
    if (translation.kind == PointerKind::kNone && translation.exact) {
      plan.problems.push_back(fmt::format("variable `{}`+{:#x} points to {}: {}", pair.before->name,
                                          pointer->at - begin, AddressMap::Name(*before_, target),
                                          translation.problem));
      continue;
    }
    // What is not where pointers point, nothing but looks like one: moved along (process_merge.cc says why).
    const bool is_pointer =
        translation.kind != PointerKind::kNone && (translation.exact || pointer->aligned());
    const uint64_t value =
        (sources.new_bias + (is_pointer ? translation.to : target).value()).value();
    const uint64_t word = pointer->mangled ? sources.guard.Mangle(value) : value;
    std::memcpy(part.At(to).data() + (pointer->at - begin), &word, kWord);
    ++plan.pointers.likely;
  }
}

void ModuleImageBuilder::RefuseForeign(const std::vector<Part>& parts, MergePlan& plan) const {
  for (const Part& part : parts) {
    for (FileAddr at : part.foreign) {
      const Variable* variable = after_->FindVariable(at);
      if (variable == nullptr) continue;  // padding
      plan.problems.push_back("variable `" + variable->name +
                              "` is new and its start-up value points to memory that only the new "
                              "version's start-up allocates");
    }
  }
}

void ModuleImageBuilder::EmitWrites(const Part& part, Addr bias,
                                    checkpoint::WriteList& writes) const {
  const FileAddr file_end = part.segment->range.begin() + part.segment->file_size;
  const auto file = after_->Contents(part.segment->range.begin());
  // Whether the byte at `at` is what the fresh mapping holds anyway. Behind the segment's file part, the last page
  // holds whatever follows in the file.
  const auto is_default = [&](FileAddr at) {
    const std::byte value = part.bytes[at - part.range.begin()];
    if (at < part.segment->range.begin()) return true;
    if (at < file_end) return value == file[at - part.segment->range.begin()];
    return at.value() / kPage != (file_end.value() - 1) / kPage && value == std::byte{0};
  };
  FileAddr begin, end;  // of the run that is being collected
  const auto flush = [&] {
    if (begin < end) {
      writes.Add(bias + begin.value(), std::span(part.bytes).subspan(begin - part.range.begin(), end - begin));
    }
  };
  for (FileAddr at = part.range.begin(); at < part.range.end(); at = at + 1) {
    if (is_default(at)) continue;
    if (!(begin < end) || at - end > kJoin) {
      flush();
      begin = at;
    }
    end = at + 1;
  }
  flush();
}

}  // namespace mcr::mutator
