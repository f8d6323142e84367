#include "mcr/update/rehearse.h"

#include <utility>

#include "mutator/graph/loaded_modules.h"
#include "tracer/unwind.h"

namespace mcr::update {
namespace {

// Where the new program is in a rehearsed process: known by its build-id, whatever path the sandbox
// gave it.
Result<Addr> FindNewProgram(const checkpoint::ProcessImage& image, const Inspection& server) {
  const auto modules = mutator::LoadedModules::Find(image);
  for (const auto& module : modules.all()) {
    if (module.build_id == server.after->build_id()) return module.bias;
  }
  return Fail("the rehearsal does not run the new program",
              "process " + std::to_string(image.pid()));
}

Result<StackNames> NamesOf(const checkpoint::ProcessImage& image, const Inspection& server,
                           tracer::Unwinder& unwinder) {
  MCR_ASSIGN(const Addr bias, FindNewProgram(image, server));
  MCR_ASSIGN(const auto frames,
             unwinder.Unwind(image.threads().front().registers, image, image.mappings()));
  StackNames names;
  for (const tracer::Frame& frame : frames) {
    std::string name = FunctionName(*server.after, bias, frame.instruction);
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
