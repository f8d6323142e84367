#include "mcr/update/rehearse.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "checkpoint/live_image.h"
#include "mcr/base/mapping.h"
#include "mcr/update/function_names.h"
#include "mutator/graph/loaded_modules.h"
#include "tracer/rehearsal/replacement.h"
#include "tracer/sys/procfs.h"
#include "tracer/unwind.h"

namespace mcr::update {
namespace {

// The standard streams have the same numbers everywhere.
constexpr int kFirstOwnDescriptor = 3;

struct Version {
  std::vector<KnownFile> files;
  std::string program;                            // the file to start
  std::vector<tracer::Replacement> replacements;  // of other files
};

Status UnwindThreads(checkpoint::LiveImage& image, tracer::Unwinder& unwinder) {
  for (const checkpoint::ThreadImage& thread : image.threads()) {
    MCR_ASSIGN(const auto stack, unwinder.Unwind(thread.registers, image, image.mappings()));
    image.SetStack(thread.tid, stack);
  }
  return {};
}

Result<StackNames> NamesOf(const checkpoint::ProcessImage& image, const Version& version) {
  const FunctionNames functions(mutator::LoadedModules::Find(image), version.files);
  if (functions.empty()) return Fail("the rehearsal does not run the program", version.program);
  StackNames names;
  for (const checkpoint::StackFrame& frame : image.threads().front().frames) {
    std::string name = functions.At(frame.instruction);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

bool IsOnDisk(const Mapping& mapping) {
  struct stat status;
  return !mapping.deleted && stat(mapping.path.c_str(), &status) == 0 &&
         status.st_ino == mapping.inode && status.st_dev == mapping.device;
}

// As the process itself sees them: PIDs are those of its own namespace.
Result<mutator::KernelNames> KernelNamesOf(const tracer::TracedProcess& process,
                                           const tracer::TaskGroup& all) {
  const tracer::ProcFs procfs;
  mutator::KernelNames names;
  MCR_ASSIGN(const std::vector<int> descriptors, procfs.Descriptors(process.pid));
  for (const int descriptor : descriptors) {
    if (descriptor >= kFirstOwnDescriptor) names.insert(static_cast<uint32_t>(descriptor));
  }
  for (const tracer::TracedProcess& one : all.processes()) {
    for (const auto& task : one.tasks) {
      MCR_ASSIGN(const auto status, procfs.ReadThreadStatus(one.pid, task->tid()));
      names.insert(static_cast<uint32_t>(status.namespace_pids.back()));
    }
  }
  return names;
}

// The new files, whatever their names lead to by now.
Version NewVersion(const Inspection& server) {
  Version version{server.NewFiles(), server.after->path(), {}};
  for (const mutator::ModuleVersions& module : server.modules) {
    if (!module.is_program) version.replacements.push_back({module.before_path, module.new_file});
  }
  return version;
}

// The files that the server runs, also those that were replaced on disk since.
Result<Version> OldVersion(const Inspection& server) {
  const tracer::ProcFs procfs;
  const pid_t pid = server.pids.front();
  Version version{server.OldFiles(), procfs.Path(pid, "exe"), {}};
  MCR_ASSIGN(const Mappings mappings, procfs.ReadMappings(pid));
  for (const Mapping& mapping : mappings) {
    if (!mapping.IsFile() || mapping.shared || mapping.file_offset != 0) continue;
    if (mapping.path == server.executable || IsOnDisk(mapping)) continue;
    version.replacements.push_back({mapping.path, procfs.MappedFile(pid, mapping)});
  }
  return version;
}

Result<Rehearsed> Begin(const Inspection& server, const Version& version) {
  Rehearsed rehearsed;
  rehearsed.options = std::make_unique<tracer::RehearsalOptions>();
  rehearsed.options->program = version.program;
  rehearsed.options->replacements = version.replacements;
  rehearsed.options->profile = server.profile ? &*server.profile : nullptr;
  MCR_ASSIGN(rehearsed.rehearsal, tracer::Rehearsal::Start(server.start, *rehearsed.options));
  return rehearsed;
}

Result<Rehearsed> Finish(Result<Rehearsed> begun, const Version& version) {
  MCR_ASSIGN(Rehearsed rehearsed, std::move(begun));
  MCR_TRY(rehearsed.rehearsal->Freeze());
  MCR_ASSIGN(const auto unwinder, tracer::Unwinder::Create());
  tracer::TaskGroup& tasks = rehearsed.rehearsal->tasks();
  for (tracer::TracedProcess& process : tasks.processes()) {
    MCR_ASSIGN(auto image, checkpoint::LiveImage::Create(process));
    MCR_TRY(UnwindThreads(*image, *unwinder));
    MCR_ASSIGN(auto stack, NamesOf(*image, version));
    MCR_ASSIGN(auto names, KernelNamesOf(process, tasks));
    rehearsed.images.push_back(std::move(image));
    rehearsed.stacks.push_back(std::move(stack));
    rehearsed.names.push_back(std::move(names));
  }
  return rehearsed;
}

// Why an old version's start says nothing about the server; empty if it does.
std::string Unusable(const Result<Rehearsed>& base, const Rehearsed& next) {
  if (!base) {
    return "the old version could not be started in a sandbox: " + base.error().Line();
  }
  // Process by process they have to do the same work: then they are as many.
  if (base->images.size() != next.images.size()) {
    return fmt::format("the old version starts {} processes, the new one {}", base->images.size(),
                       next.images.size());
  }
  return "";
}

constexpr std::chrono::milliseconds kBetweenStarts(20);

}  // namespace

Result<Rehearsals> Rehearsals::Run(const Inspection& server) {
  const Version after = NewVersion(server);
  MCR_ASSIGN(const Version before, OldVersion(server));
  // They start up side by side, but not at the same time: what a start leaves of its clocks is told
  // by its being another one in the other start.
  auto begun_start = Begin(server, before);
  auto begun = Begin(server, after);
  std::this_thread::sleep_for(kBetweenStarts);
  auto begun_again = Begin(server, before);
  Rehearsals rehearsals;
  MCR_ASSIGN(rehearsals.next_, Finish(std::move(begun), after));
  auto start = Finish(std::move(begun_start), before);
  auto again = Finish(std::move(begun_again), before);
  for (const auto* base : {&start, &again}) {
    const std::string reason = Unusable(*base, rehearsals.next_);
    if (reason.empty()) continue;
    rehearsals.warnings_ = {"every variable counts as changed by the server: " + reason};
    return rehearsals;
  }
  rehearsals.base_.emplace(Base{*std::move(start), *std::move(again)});
  return rehearsals;
}

mutator::ProcessPair Rehearsals::PairFor(const checkpoint::ProcessImage& live, size_t index) const {
  return Pair(live, std::min(index, processes() - 1));
}

mutator::ProcessPair Rehearsals::Pair(const checkpoint::ProcessImage& live, size_t index) const {
  mutator::ProcessPair pair{&live, next_.images[index].get()};
  if (!base_) return pair;
  pair.base = base_->start.images[index].get();
  pair.base_again = base_->again.images[index].get();
  pair.base_names = base_->start.names[index];
  pair.next_names = next_.names[index];
  return pair;
}

}  // namespace mcr::update
