#include "mcr/update/function_names.h"

#include <algorithm>
#include <utility>

namespace mcr::update {

FunctionNames::FunctionNames(mutator::LoadedModules modules, const std::vector<KnownFile>& files)
    : all_(std::move(modules)) {
  for (const mutator::LoadedModule& module : all_.all()) {
    const auto file = std::ranges::find_if(files, [&](const KnownFile& known) {
      return known.program->build_id().empty() ? known.path == module.path
                                               : known.program->build_id() == module.build_id;
    });
    if (file != files.end()) modules_.push_back({module.range, module.bias, file->program});
  }
}

std::string FunctionNames::At(Addr instruction) const {
  for (const Module& module : modules_) {
    if (!module.range.Contains(instruction)) continue;
    const mutator::Function* function =
        module.program->FindFunction(FileAddr(instruction.value() - module.bias.value()));
    return function == nullptr ? "" : function->name;
  }
  return "";
}

}  // namespace mcr::update
