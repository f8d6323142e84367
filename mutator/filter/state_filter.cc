#include "mutator/filter/state_filter.h"

#include <algorithm>
#include <utility>

#include "mutator/filter/syntax.h"

namespace mcr::mutator {
namespace {

void MarkUsed(const Bound& bound, std::vector<bool>& used) {
  const bool is_named =
      bound.kind == Bound::Kind::kVariable || bound.kind == Bound::Kind::kFunction;
  if (is_named) used[bound.module] = true;
  for (const Bound& child : bound.children) MarkUsed(child, used);
}

const LoadedModule* Find(const LoadedModules& loaded, const FilterModule& module) {
  const std::string& build_id = module.program->build_id();
  if (build_id.empty()) return loaded.ByPath(module.path);
  const auto found = std::ranges::find(loaded.all(), build_id, &LoadedModule::build_id);
  return found == loaded.all().end() ? nullptr : &*found;
}

}  // namespace

StateFilter::StateFilter(std::string expression, std::vector<FilterModule> modules, Bound bound)
    : expression_(std::move(expression)),
      modules_(std::move(modules)),
      used_(modules_.size()),
      bound_(std::move(bound)) {
  MarkUsed(bound_, used_);
}

Result<StateFilter> StateFilter::Create(std::string expression, std::vector<FilterModule> modules) {
  std::vector<std::shared_ptr<const Program>> programs;
  for (const FilterModule& module : modules) programs.push_back(module.program);
  MCR_ASSIGN(const Syntax syntax, ParseFilter(expression));
  MCR_ASSIGN(Bound bound, BindFilter(expression, syntax, programs));
  return StateFilter(std::move(expression), std::move(modules), std::move(bound));
}

Result<std::optional<StateFilter::Verdict>> StateFilter::Evaluate(
    const checkpoint::ProcessImage& image) const {
  return Evaluate(image, LoadedModules::Find(image));
}

Result<std::optional<StateFilter::Verdict>> StateFilter::Evaluate(
    const MemoryReader& memory, const LoadedModules& loaded) const {
  std::vector<Addr> biases;
  for (size_t i = 0; i < modules_.size(); ++i) {
    const LoadedModule* module = Find(loaded, modules_[i]);
    if (module == nullptr && used_[i]) return std::nullopt;
    biases.push_back(module == nullptr ? Addr() : module->bias);
  }
  Verdict verdict;
  MCR_ASSIGN(verdict.holds, EvaluateFilter(bound_, memory, biases, verdict.values));
  return verdict;
}

std::string Text(const Observations& values) {
  std::string text;
  for (const auto& [source, value] : values) {
    text += (text.empty() ? "`" : ", `") + source + "` = " + value;
  }
  return text;
}

}  // namespace mcr::mutator
