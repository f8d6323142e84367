#include "mcr/update/kept_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "checkpoint/kept/kept_image.h"
#include "checkpoint/kept/page_pool.h"
#include "mcr/update/function_names.h"
#include "mcr/update/kept_inputs.pb.h"
#include "mcr/update/module_files.h"
#include "mcr/update/new_file.h"
#include "mutator/graph/loaded_modules.h"
#include "tracer/unwind.h"

namespace mcr::update {
namespace {

using checkpoint::ImageDirectory;

constexpr char kInputs[] = "mcr-inputs";
constexpr char kProgram[] = "mcr-program";  // if it stays

std::string OldFile(size_t module) { return fmt::format("mcr-old-{}", module); }
std::string ImageFile(const char* version, size_t process) {
  return fmt::format("mcr-{}-{}", version, process);
}

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Fail("cannot read the old version's file", path);
  return bytes;
}

Status KeepVersion(const Rehearsed& rehearsed, const char* name, const ImageDirectory& directory,
                   checkpoint::PagePool& pool, kept::Version& version) {
  for (size_t i = 0; i < rehearsed.images.size(); ++i) {
    MCR_TRY(KeepImage(*rehearsed.images[i], directory, ImageFile(name, i), pool));
    kept::Names& stack = *version.add_stacks();
    for (const std::string& function : rehearsed.stacks[i]) stack.add_name(function);
    kept::Numbers& numbers = *version.add_kernel_names();
    for (const uint32_t number : rehearsed.names[i]) numbers.add_number(number);
  }
  return {};
}

Result<Rehearsed> ReadVersion(const kept::Version& version, const char* name,
                              const ImageDirectory& directory,
                              const std::shared_ptr<const checkpoint::KeptPages>& pages) {
  Rehearsed rehearsed;
  if (version.stacks_size() != version.kernel_names_size()) {
    return Fail("damaged checkpoint: its rehearsals are not complete", kInputs);
  }
  for (int i = 0; i < version.stacks_size(); ++i) {
    MCR_ASSIGN(auto image, checkpoint::KeptImage::Open(
                               directory, ImageFile(name, static_cast<size_t>(i)), pages));
    rehearsed.images.push_back(std::move(image));
    const auto& stack = version.stacks(i).name();
    rehearsed.stacks.emplace_back(stack.begin(), stack.end());
    const auto& numbers = version.kernel_names(i).number();
    rehearsed.names.emplace_back(numbers.begin(), numbers.end());
  }
  return rehearsed;
}

Result<Rehearsals> ReadRehearsals(const kept::Inputs& inputs, const ImageDirectory& directory) {
  MCR_ASSIGN(const auto pages, checkpoint::KeptPages::Open(directory));
  MCR_ASSIGN(Rehearsed next, ReadVersion(inputs.next(), "next", directory, pages));
  if (next.images.empty()) return Fail("damaged checkpoint: no rehearsal", kInputs);
  std::optional<Rehearsals::Base> base;
  if (inputs.has_base()) {
    MCR_ASSIGN(Rehearsed start, ReadVersion(inputs.base(), "base", directory, pages));
    MCR_ASSIGN(Rehearsed again, ReadVersion(inputs.base_again(), "again", directory, pages));
    if (start.images.size() != next.images.size() || again.images.size() != next.images.size()) {
      return Fail("damaged checkpoint: its rehearsals do not correspond", kInputs);
    }
    base.emplace(Rehearsals::Base{std::move(start), std::move(again)});
  }
  return Rehearsals(std::move(next), std::move(base));
}

Status UnwindThreads(checkpoint::CriuImage& image, tracer::Unwinder& unwinder) {
  for (const checkpoint::ThreadImage& thread : image.threads()) {
    MCR_ASSIGN(const auto stack, unwinder.Unwind(thread.registers, image, image.mappings()));
    image.SetStack(thread.tid, stack);
  }
  return {};
}

StackNames NamesOf(const checkpoint::ProcessImage& image, const FunctionNames& functions) {
  StackNames names;
  for (const checkpoint::StackFrame& frame : image.threads().front().frames) {
    std::string name = functions.At(frame.instruction);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

// A checkpoint is of a whole tree, in which there may be other programs.
Status ReadImages(const ImageDirectory& directory, const std::map<std::string, std::string>& files,
                  KeptServer& server) {
  MCR_ASSIGN(auto images, checkpoint::CriuImage::OpenAll(directory, files));
  MCR_ASSIGN(const auto unwinder, tracer::Unwinder::Create());
  const std::vector<KnownFile> program = {{server.inspection.before, server.inspection.executable}};
  for (auto& image : images) {
    const auto modules = mutator::LoadedModules::Find(*image);
    if (FunctionNames(modules, program).empty()) continue;
    MCR_TRY(UnwindThreads(*image, *unwinder));
    server.stacks.push_back(NamesOf(*image, FunctionNames(modules, server.inspection.OldFiles())));
    server.inspection.pids.push_back(image->pid());
    server.images.push_back(std::move(image));
  }
  if (server.images.empty()) {
    return Fail("no process of the checkpoint runs the program", server.inspection.executable);
  }
  return {};
}

}  // namespace

Status KeepInputs(const Inspection& server, const Rehearsals& rehearsals,
                  const mutator::DebugSearch& search, const ImageDirectory& directory) {
  kept::Inputs inputs;
  inputs.set_executable(server.executable);
  inputs.set_strict(server.strict);
  inputs.set_owner(server.start.uid);
  if (server.profile) inputs.set_profile(server.profile->SerializeAsString());
  for (const std::string& each : search.debug_dirs) inputs.add_debug_dirs(each);
  for (size_t i = 0; i < server.modules.size(); ++i) {
    const mutator::ModuleVersions& module = server.modules[i];
    kept::Module& kept = *inputs.add_modules();
    kept.set_path(module.before_path);
    kept.set_new_file(server.new_files[i].path());
    kept.set_is_program(module.is_program);
    MCR_ASSIGN(const std::string bytes, ReadWhole(module.before->path()));
    MCR_TRY(directory.WriteFile(OldFile(i), bytes));
  }
  if (!server.program_changes()) {
    MCR_ASSIGN(const std::string bytes, ReadWhole(server.before->path()));
    MCR_TRY(directory.WriteFile(kProgram, bytes));
  }
  checkpoint::PagePool pool;
  MCR_TRY(KeepVersion(rehearsals.next(), "next", directory, pool, *inputs.mutable_next()));
  if (const auto& base = rehearsals.base()) {
    MCR_TRY(KeepVersion(base->start, "base", directory, pool, *inputs.mutable_base()));
    MCR_TRY(KeepVersion(base->again, "again", directory, pool, *inputs.mutable_base_again()));
  }
  MCR_TRY(pool.Write(directory));
  return directory.WriteFile(kInputs, inputs.SerializeAsString());
}

Result<KeptServer> ReadKept(const std::string& path) {
  MCR_ASSIGN(const ImageDirectory directory, ImageDirectory::Open(path));
  MCR_ASSIGN(const std::string bytes, directory.ReadFile(kInputs));
  kept::Inputs inputs;
  if (!inputs.ParseFromString(bytes) || inputs.modules().empty()) {
    return Fail("damaged checkpoint: what the update was made of", kInputs);
  }
  VersionsToLoad versions;
  versions.executable = inputs.executable();
  versions.strict = inputs.strict();
  if (!inputs.profile().empty() && !versions.profile.emplace().ParseFromString(inputs.profile())) {
    return Fail("damaged checkpoint: the profile", kInputs);
  }
  versions.search.debug_dirs = {inputs.debug_dirs().begin(), inputs.debug_dirs().end()};
  versions.program_file = path + "/" + kProgram;
  std::map<std::string, std::string> old_files = {{versions.executable, versions.program_file}};
  for (const kept::Module& module : inputs.modules()) {
    std::string old_file = path + "/" + OldFile(versions.files.size());
    old_files[module.path()] = old_file;
    MCR_ASSIGN(NewFile new_file, NewFile::Open(module.new_file(), inputs.owner()));
    versions.files.push_back(
        {module.path(), std::move(old_file), std::move(new_file), module.is_program()});
  }
  MCR_ASSIGN(Inspection inspection, InspectVersions(std::move(versions)));
  MCR_ASSIGN(Rehearsals rehearsals, ReadRehearsals(inputs, directory));
  KeptServer server{std::move(inspection), std::move(rehearsals), {}, {}};
  MCR_TRY(ReadImages(directory, old_files, server));
  return server;
}

}  // namespace mcr::update
