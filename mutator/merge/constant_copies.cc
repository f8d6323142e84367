#include "mutator/merge/constant_copies.h"

#include <algorithm>

#include "mcr/base/range.h"
#include "mutator/merge/kept_constants.h"

namespace mcr::mutator {

std::optional<uint64_t> ConstantCopies::Redirect(const ChangedModule& module, uint64_t target) {
  const Section* section = module.before().FindSection(module.InOld(target));
  if (section == nullptr || !IsConstant(module.before(), *section)) return std::nullopt;
  const auto place = places_.Find({module.index, Places::Use::kConstants}, module.live.bias,
                                  module.live.range.size(), limit_);
  if (!place) return std::nullopt;
  copies_[place->begin() + section->range.begin().value()] = {section, &module.before()};
  return target - module.live.bias.value() + place->begin().value();
}

void ConstantCopies::AddTo(checkpoint::ProcessGraft& graft, Account& account) const {
  for (const auto& [at, copy] : copies_) {
    AddConstants(*copy.program, *copy.section, at, graft);
    account.constant_copies.push_back(*Range<Addr>::FromSize(at, copy.section->range.size()));
  }
}

}  // namespace mcr::mutator
