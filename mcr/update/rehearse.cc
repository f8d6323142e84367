#include "mcr/update/rehearse.h"

#include <string>
#include <utility>

#include "mcr/update/function_names.h"
#include "mutator/graph/loaded_modules.h"
#include "tracer/unwind.h"

namespace mcr::update {
namespace {

Result<StackNames> NamesOf(const checkpoint::ProcessImage& image, const Inspection& server,
                           tracer::Unwinder& unwinder) {
  const FunctionNames functions(mutator::LoadedModules::Find(image), server.NewFiles());
  if (functions.empty()) {
    return Fail("the rehearsal does not run the new program",
                "process " + std::to_string(image.pid()));
  }
  MCR_ASSIGN(const auto frames,
             unwinder.Unwind(image.threads().front().registers, image, image.mappings()));
  StackNames names;
  for (const tracer::Frame& frame : frames) {
    std::string name = functions.At(frame.instruction);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

Result<Rehearsed> Rehearse(const Inspection& server) {
  tracer::RehearsalOptions options;
  options.program = server.new_program;
  options.profile = server.profile ? &*server.profile : nullptr;
  Rehearsed rehearsed;
  MCR_ASSIGN(rehearsed.rehearsal, tracer::Rehearsal::Run(server.start, options));
  MCR_ASSIGN(const auto unwinder, tracer::Unwinder::Create());
  for (tracer::TracedProcess& process : rehearsed.rehearsal->tasks().processes()) {
    MCR_ASSIGN(auto image, checkpoint::LiveImage::Create(process));
    MCR_ASSIGN(auto names, NamesOf(*image, server, *unwinder));
    rehearsed.images.push_back(std::move(image));
    rehearsed.stacks.push_back(std::move(names));
  }
  return rehearsed;
}

}  // namespace mcr::update
