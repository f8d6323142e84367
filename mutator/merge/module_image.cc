#include "mutator/merge/module_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "mcr/base/bytes.h"
#include "mutator/merge/leaf.h"
#include "mutator/merge/live_words.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kWord = sizeof(uint64_t);
// Differing bytes nearer to each other than this are written in one go.
constexpr size_t kJoin = 64;

}  // namespace

ModuleImageBuilder::ModuleImageBuilder(std::shared_ptr<const Program> before,
                                       std::shared_ptr<const Program> after, AddressMap& map)
    : before_(before), after_(after), initial_before_(before), initial_after_(after) {
  for (const Segment& segment : before_->segments()) {
    if (segment.writable) old_segments_.push_back(&segment);
  }
  std::vector<const Segment*> new_segments;
  for (const Segment& segment : after_->segments()) {
    if (segment.writable) new_segments.push_back(&segment);
  }
  const auto index = [](const std::vector<const Segment*>& segments, const Variable& variable) {
    const auto found = std::ranges::find_if(
        segments, [&](const Segment* segment) { return segment->range.Contains(variable.range); });
    return static_cast<size_t>(found - segments.begin());
  };
  for (const VariablePair& both : PairWritableVariables(*before_, *after_, map.variable_names())) {
    Pair pair{both};
    pair.initial_known =
        initial_before_.IsKnown(both.before->range) && initial_after_.IsKnown(both.after->range);
    const auto old_default = initial_before_.PlainValue(both.before->range);
    const auto new_default = initial_after_.PlainValue(both.after->range);
    pair.default_changed =
        !old_default.empty() && !new_default.empty() && old_default != new_default;
    pair.old_segment = index(old_segments_, *both.before);
    pair.new_part = index(new_segments, *both.after);
    if (both.before->type != 0 && both.after->type != 0) {
      pair.recipe = &map.RecipeOf(*both.before, *both.after);
    }
    pairs_.push_back(pair);
  }
}

Status ModuleImageBuilder::Build(const Sources& sources, checkpoint::ProcessGraft& graft,
                                 MergePlan& plan) {
  MCR_ASSIGN(const Model* model, ModelFor(sources));
  MCR_ASSIGN(const std::vector<OldSegment> old, ReadOld(sources));
  std::vector<RehearsedPart> parts = model->parts;
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& pair = pairs_[i];
    const OldSegment& segment = old[pair.old_segment];
    const bool untouched = IsUntouched(*model, pair, segment.live);
    if (untouched && model->replaceable[i]) {
      ++plan.variables.initialised;
      sources.account.from_next.push_back(
          *Range<Addr>::FromSize(sources.module.live.bias + pair.before->range.begin().value(),
                                 pair.before->range.size()));
      continue;
    }
    if (untouched) {
      ++plan.variables.bound;
    } else if (pair.default_changed) {
      plan.conflicts.push_back(
          "`" + pair.after->name + "`: the new version starts with another value, the server " +
          (model->base ? "had" : "may have") + " changed it; the server's was kept");
    }
    TakeLive(sources, *model, pair, segment, parts[pair.new_part], graft, plan);
  }
  for (RehearsedPart& part : parts) BringForeign(sources, part, graft, plan);
  for (size_t i = 0; i < parts.size(); ++i) {
    EmitWrites(parts[i], model->fresh[i], sources.module.new_bias(), graft.writes);
  }
  return {};
}

bool ModuleImageBuilder::IsUntouched(const Model& model, const Pair& pair,
                                     std::span<const std::byte> live) const {
  if (!model.base) return false;
  const Range<FileAddr> range = pair.before->range;
  const size_t at = range.begin() - old_segments_[pair.old_segment]->range.begin();
  return SameBytes(live.subspan(at, range.size()), model.base_parts[pair.old_segment].At(range));
}

Result<const ModuleImageBuilder::Model*> ModuleImageBuilder::ModelFor(const Sources& sources) {
  for (const auto& model : models_) {
    const bool same_base = sources.base == nullptr ? !model->base : model->base == *sources.base;
    if (model->next == &sources.next && model->next_to_live == sources.next_to_live && same_base) {
      return model.get();
    }
  }
  auto model = std::make_unique<Model>();
  model->next = &sources.next;
  model->next_to_live = sources.next_to_live;
  MCR_ASSIGN(model->parts,
             ReadRehearsed(*after_, sources.next, sources.module.next.bias, sources.next_to_live));
  for (const RehearsedPart& part : model->parts) {
    model->fresh.push_back(initial_after_.FileBytes(part.range));
  }
  if (sources.base != nullptr) MCR_TRY(AddBase(sources, *model));
  models_.push_back(std::move(model));
  return models_.back().get();
}

Status ModuleImageBuilder::AddBase(const Sources& sources, Model& model) const {
  const auto read = [&](const OldStart& start) {
    return ReadRehearsed(*before_, *start.image, start.biases.at(sources.module.index),
                         start.to_live);
  };
  model.base = *sources.base;
  MCR_ASSIGN(model.base_parts, read(model.base->start));
  MCR_ASSIGN(const auto again, read(model.base->again));
  const StartValues values(
      {*model.base, model.next_to_live, sources.modules,
       sources.same_memory || SameAllocations(*model.base->start.image, sources.next)});
  for (const Pair& pair : pairs_) {
    const Range<FileAddr> range = pair.before->range;
    const bool certain =
        SameBytes(model.base_parts[pair.old_segment].At(range), again[pair.old_segment].At(range));
    model.replaceable.push_back(certain && IsReplaceable(sources, model, pair, values));
  }
  return {};
}

bool ModuleImageBuilder::IsReplaceable(const Sources& sources, const Model& model, const Pair& pair,
                                       const StartValues& values) const {
  const Range<FileAddr> before = pair.before->range, after = pair.after->range;
  const RehearsedPart& next = model.parts[pair.new_part];
  if (next.HasForeign(after)) return sources.same_memory && IsNull(model, pair);
  if (IsDefault(sources, model, pair)) return true;
  return before.size() == after.size() &&
         values.MayExchange(model.base_parts[pair.old_segment].At(before), next.At(after),
                            after.begin());
}

// A pointer that the old version's start leaves null: what the new one's points to, and nothing
// else does, is brought along.
bool ModuleImageBuilder::IsNull(const Model& model, const Pair& pair) const {
  const auto base = model.base_parts[pair.old_segment].At(pair.before->range);
  return base.size() == kWord && pair.after->range.size() == kWord &&
         std::ranges::all_of(base, [](std::byte b) { return b == std::byte{0}; });
}

// In both versions start-up left the variable's initial value alone.
bool ModuleImageBuilder::IsDefault(const Sources& sources, const Model& model,
                                   const Pair& pair) const {
  if (!pair.initial_known) return false;
  const auto before = initial_before_.Bytes(pair.before->range, sources.module.live.bias.value());
  const auto after = initial_after_.Bytes(pair.after->range, sources.module.new_bias().value());
  return SameBytes(model.base_parts[pair.old_segment].At(pair.before->range), before) &&
         SameBytes(model.parts[pair.new_part].At(pair.after->range), after);
}

Result<std::vector<ModuleImageBuilder::OldSegment>> ModuleImageBuilder::ReadOld(
    const Sources& sources) const {
  std::vector<OldSegment> segments;
  for (const Segment* segment : old_segments_) {
    OldSegment old{std::vector<std::byte>(segment->range.size()), {}};
    const Addr start = sources.module.live.bias + segment->range.begin().value();
    MCR_TRY(sources.live.Read(start, old.live));
    ScanWords(old.live, start, sources.modules.old_ranges(), sources.guard, old.pointers);
    segments.push_back(std::move(old));
  }
  return segments;
}

void ModuleImageBuilder::TakeLive(const Sources& sources, const Model& model, const Pair& pair,
                                  const OldSegment& old, RehearsedPart& part,
                                  checkpoint::ProcessGraft& graft, MergePlan& plan) {
  ++plan.variables.kept;
  const bool has_moved = !sources.moves.empty();
  if (pair.recipe != nullptr && (!pair.recipe->identity || has_moved)) {
    return Transform(sources, model, pair, old, part, graft, plan);
  }
  const Range<FileAddr> to = pair.after->range;
  const size_t at = pair.before->range.begin() - old_segments_[pair.old_segment]->range.begin();
  const size_t size = std::min(pair.before->range.size(), to.size());
  part.foreign.erase(part.foreign.lower_bound(to.begin()), part.foreign.lower_bound(to.end()));
  std::ranges::copy(std::span(old.live).subspan(at, size), part.At(to).begin());

  const Addr begin = sources.module.live.bias + pair.before->range.begin().value();
  const Addr end = begin + std::min(pair.before->range.size(), to.size());
  auto pointer = std::ranges::lower_bound(old.pointers, begin, {}, &LikelyPointer::at);
  for (; pointer != old.pointers.end() && pointer->at + kWord <= end; ++pointer) {
    const ChangedModule* module = sources.modules.Of(pointer->target);
    if (module == nullptr) continue;
    const FileAddr target = module->InOld(pointer->target);
    // The type is of one module's table, and so is what it says of pointers into that one.
    const bool typed = pair.recipe != nullptr && module->index == sources.module.index;
    const TypeId pointee = typed ? LeafIn(*pair.recipe, pointer->at - begin).pointee : TypeId{0};
    const Translation translation = module->map().Translate(target, pointee);
    if (translation.kind == PointerKind::kNone && translation.exact) {
      plan.problems.push_back(fmt::format(
          "variable `{}`+{:#x} points to {}: {}", pair.before->name, pointer->at - begin,
          AddressMap::Name(module->before(), target), translation.problem));
      continue;
    }
    // What is not where pointers point, nothing but looks like one: moved along (process_merge.cc
    // says why).
    const bool is_pointer =
        translation.kind != PointerKind::kNone && (translation.exact || pointer->aligned());
    const uint64_t value = module->InNew(is_pointer ? translation.to : target);
    const uint64_t word = pointer->mangled ? sources.guard.Mangle(value) : value;
    std::memcpy(part.At(to).data() + (pointer->at - begin), &word, kWord);
    ++plan.pointers.likely;
  }
}

// Field by field. What only the new version has keeps what its start-up gave it.
void ModuleImageBuilder::Transform(const Sources& sources, const Model& model, const Pair& pair,
                                   const OldSegment& old, RehearsedPart& part,
                                   checkpoint::ProcessGraft& graft, MergePlan& plan) {
  const Range<FileAddr> range = pair.after->range;
  const Addr to = sources.module.new_bias() + range.begin().value();
  const LiveWords words(sources.modules, sources.moves, &sources.module);
  std::vector<uint64_t> placeholders;
  const TranslateWord translate = [&](const ValueWord& word) -> Result<uint64_t> {
    part.foreign.erase(range.begin() + word.to);
    MCR_ASSIGN(const uint64_t value, words.Translate(word));
    if (IsPlaceholder(value)) placeholders.push_back(word.to);
    if (value != word.word) ++plan.pointers.precise;
    return value;
  };
  const size_t at = pair.before->range.begin() - old_segments_[pair.old_segment]->range.begin();
  const auto live = std::span(old.live).subspan(at, pair.before->range.size());
  const LeftAlone untouched = [&](uint64_t from, uint64_t size) {
    if (!model.base) return false;
    const auto start = model.base_parts[pair.old_segment].At(pair.before->range);
    if (!sources.start_allocations.IsUntouched(live.subspan(from, size), start.subspan(from, size)))
      return false;
    const Addr begin = sources.module.live.bias + pair.before->range.begin().value();
    sources.account.fields_from_next.push_back(*Range<Addr>::FromSize(begin + from, size));
    return true;
  };
  const Status applied = Apply(*pair.recipe, live, part.At(range), translate, untouched);
  for (const uint64_t offset : placeholders) {
    uint64_t value;  // with its tag bits
    std::memcpy(&value, part.At(range).data() + offset, kWord);
    graft.allocated_words.push_back({to + offset, Addr(value)});
  }
  if (applied) return;
  part.foreign.erase(part.foreign.lower_bound(range.begin()),
                     part.foreign.lower_bound(range.end()));
  plan.problems.push_back("variable `" + pair.before->name + "`: " + applied.error().Line());
}

// Of variables and fields that only the new version has.
void ModuleImageBuilder::BringForeign(const Sources& sources, RehearsedPart& part,
                                      checkpoint::ProcessGraft& graft, MergePlan& plan) const {
  for (const FileAddr at : part.foreign) {
    const Variable* variable = after_->FindVariable(at);
    const Section* section = variable == nullptr ? after_->FindSection(at) : nullptr;
    if (section != nullptr && section->name.starts_with(".got")) {
      plan.problems.push_back(
          fmt::format("the entry at {} of {}'s global offset table points to "
                      "memory that only the new version's start-up allocates",
                      Hex(at), after_->path()));
    }
    if (variable == nullptr) continue;  // padding
    if (sources.copied.IsNew(sources.module, at)) continue;
    const auto word = part.At(*Range<FileAddr>::FromSize(at, kWord));
    uint64_t value;
    std::memcpy(&value, word.data(), kWord);
    const auto brought =
        sources.start_allocations.Bring(value, sources.module.next.bias + at.value());
    if (!brought) {
      plan.problems.push_back("variable `" + variable->name +
                              "` is new and its start-up value points to memory that only the new "
                              "version's start-up allocates: " +
                              brought.error().Line());
      continue;
    }
    std::memcpy(word.data(), &*brought, kWord);
    if (IsPlaceholder(*brought)) {
      graft.allocated_words.push_back({sources.module.new_bias() + at.value(), Addr(*brought)});
    }
  }
}

void ModuleImageBuilder::EmitWrites(const RehearsedPart& part, std::span<const std::byte> fresh,
                                    Addr bias, checkpoint::WriteList& writes) {
  // Behind the segment's file part, the rest of that page is not zero but whatever follows in the
  // file: it is always written.
  const FileAddr file_end = part.segment->range.begin() + part.segment->file_size;
  const FileAddr file_page_end((file_end.value() + kPage - 1) & ~(kPage - 1));
  const auto must_write = [&](size_t at) {
    const FileAddr address = part.range.begin() + at;
    if (file_end < address + kWord && address < file_page_end) return true;
    return std::memcmp(part.bytes.data() + at, fresh.data() + at, kWord) != 0;
  };
  size_t begin = 0, end = 0;  // of the run that is being collected
  const auto flush = [&] {
    if (begin == end) return;
    writes.Add(bias + part.range.begin().value() + begin,
               std::span(part.bytes).subspan(begin, end - begin));
  };
  for (size_t at = 0; at < part.bytes.size(); at += kWord) {
    if (part.range.begin() + at < part.segment->range.begin() || !must_write(at)) continue;
    if (begin == end || at - end > kJoin) {
      flush();
      begin = at;
    }
    end = at + kWord;
  }
  flush();
}

}  // namespace mcr::mutator
