#include "mutator/merge/live_words.h"

#include <fmt/format.h>

#include "mutator/merge/address_map.h"

namespace mcr::mutator {
namespace {

using Meaning = ValueWord::Meaning;

}  // namespace

Result<uint64_t> LiveWords::Translate(const ValueWord& word) const {
  if (word.meaning == Meaning::kNew) return owner_->InNew(FileAddr(word.word));
  if (const ChangedModule* module = modules_.Of(word.word)) return IntoModule(*module, word);
  if (stacks_ != nullptr) {
    MCR_ASSIGN(const auto followed, stacks_->Follow(word.word, word.pointee));
    if (followed) return *followed;
  }
  const ObjectMoves::Landing landing = moves_.Translate(word.word, word.pointee);
  if (landing.move == nullptr || landing.to == word.word) return word.word;
  if (word.meaning == Meaning::kNumber) {
    return Fail(
        fmt::format("a number at offset {} is the address of a {} that cannot stay where it "
                    "is (annotation: tagged_pointer, or copy)",
                    word.from, *landing.move->type_name));
  }
  if (landing.to) return *landing.to;
  if (landing.may_be_end) {
    return Fail(
        fmt::format("the pointer at offset {} is to a {}, or to the end of what is before "
                    "it: nothing says which",
                    word.from, *landing.move->type_name));
  }
  return Fail(fmt::format("points into a {} at offset {}, which the new version does not have",
                          *landing.move->type_name,
                          word.word - landing.move->object->memory.begin().value()));
}

Result<uint64_t> LiveWords::IntoModule(const ChangedModule& module, const ValueWord& word) {
  const bool certain = word.meaning == Meaning::kPointer;
  const FileAddr target = module.InOld(word.word);
  const Translation translation = module.map().Translate(target, word.pointee);
  const bool found = translation.kind != PointerKind::kNone;
  if (!found && (translation.exact || certain)) {
    return Fail(fmt::format("points to {}: {}", AddressMap::Name(module.before(), target),
                            translation.problem));
  }
  // What is not where pointers point, nothing but looks like one: moved along (process_merge.cc
  // says why).
  const bool is_pointer = found && (translation.exact || certain);
  return is_pointer ? module.InNew(translation.to) : module.Shifted(word.word);
}

}  // namespace mcr::mutator
