#include "mcr/update/inspect.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "mcr/update/criu_program.h"
#include "mcr/update/module_files.h"
#include "mcr/update/start.h"
#include "profiles/shipped.h"
#include "tracer/attachable.h"
#include "tracer/program_tree.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

Status CheckPrivileges() {
  if (geteuid() != 0) {
    return Fail("tracing and checkpointing a server needs root", "uid " + std::to_string(geteuid()),
                "run mcr as root");
  }
  return {};
}

// A version of the same program has most of its functions.
Status CheckSameProgram(const mutator::Program& before, const mutator::Program& after) {
  std::unordered_set<std::string> names;
  for (const auto& function : after.functions()) names.insert(function.name);
  const auto shared = std::ranges::count_if(
      before.functions(), [&](const auto& function) { return names.contains(function.name); });
  if (2 * static_cast<size_t>(shared) < before.functions().size()) {
    return Fail("the new file is not a version of the one that runs: it has " +
                    std::to_string(shared) + " of its " +
                    std::to_string(before.functions().size()) + " functions",
                after.path(), "check --pid and --to");
  }
  return {};
}

Status CheckPositionIndependent(const mutator::Program& program) {
  if (program.position_independent()) return {};
  return Fail("the program is linked to a fixed address", program.path(),
              "mcr needs a position-independent executable (gcc -pie), as Debian builds them");
}

Result<std::optional<profiles::Profile>> ChooseProfile(const Options& options,
                                                       const std::string& executable) {
  if (options.profile.empty()) return profiles::FindShipped(executable);
  MCR_ASSIGN(profiles::Profile profile, profiles::LoadProfile(options.profile));
  if (!profiles::IsFor(profile, executable)) {
    return Fail("the profile is for \"" + profile.identity().name() + "\", not for this server",
                options.profile + " and " + executable, "check --profile and --pid");
  }
  return std::optional(std::move(profile));
}

void Append(std::vector<std::string> from, std::vector<std::string>& to) {
  std::ranges::move(from, std::back_inserter(to));
}

void Append(mutator::Differences from, mutator::Differences& to) {
  std::ranges::move(from.types, std::back_inserter(to.types));
  Append(std::move(from.changed_variables), to.changed_variables);
  Append(std::move(from.new_variables), to.new_variables);
  Append(std::move(from.dropped_variables), to.dropped_variables);
  Append(std::move(from.new_functions), to.new_functions);
  Append(std::move(from.dropped_functions), to.dropped_functions);
  Append(std::move(from.problems), to.problems);
}

// Resident memory, pages; 0 if it cannot be told.
uint64_t ResidentPages(pid_t pid) {
  // proc_pid_statm(5): "size resident shared text lib data dt"
  const auto text = tracer::ProcFs().ReadText(pid, "statm");
  uint64_t size = 0, resident = 0;
  if (text) std::istringstream(*text) >> size >> resident;
  return resident;
}

CheckpointMode ChooseCheckpoint(CheckpointMode wanted, const std::vector<pid_t>& pids) {
  if (wanted != CheckpointMode::kAuto) return wanted;
  constexpr uint64_t kLarge = (128 << 20) / 4096;  // pages; CRIU dumps about 1 GiB a second
  uint64_t pages = 0;
  for (const pid_t pid : pids) pages += ResidentPages(pid);
  return pages > kLarge ? CheckpointMode::kTwin : CheckpointMode::kCriu;
}

// The dynamic loader's own memory holds the records of all modules, and is not merged.
Status CheckIsNotLoader(const mutator::ModuleVersions& module) {
  const bool is_loader = std::ranges::any_of(module.before->symbols(), [](const auto& symbol) {
    return symbol.name == "_rtld_global" || symbol.name == "_rtld_global_ro";
  });
  if (!is_loader) return {};
  return Fail("the dynamic loader itself changed", module.before_path,
              "restart the server: the C library and its loader cannot be exchanged in a running "
              "process");
}

Status LoadModules(const Options& options, Inspection& inspection) {
  MCR_ASSIGN(const std::vector<ModuleFiles> changed,
             FindChangedFiles(inspection.pids, inspection.executable, options.to));
  const mutator::DebugSearch search{options.debug_dirs};
  const profiles::Annotations annotations =
      inspection.profile ? inspection.profile->annotations() : profiles::Annotations();
  for (const ModuleFiles& files : changed) {
    MCR_ASSIGN(mutator::ModuleVersions module, LoadVersions(files, search, annotations));
    MCR_TRY(CheckPositionIndependent(*module.before));
    MCR_TRY(CheckPositionIndependent(*module.after));
    MCR_TRY(CheckSameProgram(*module.before, *module.after));
    MCR_TRY(CheckIsNotLoader(module));
    inspection.modules.push_back(std::move(module));
  }
  if (inspection.program_changes()) {
    inspection.before = inspection.modules.front().before;
    inspection.after = inspection.modules.front().after;
    inspection.new_program = inspection.modules.front().new_file;
    return {};
  }
  MCR_ASSIGN(inspection.before, mutator::Program::Load(inspection.executable, search));
  inspection.after = inspection.before;
  inspection.new_program = inspection.executable;
  return {};
}

void CompareModules(Inspection& inspection) {
  for (const mutator::ModuleVersions& module : inspection.modules) {
    mutator::Differences differences = mutator::Compare(*module.before, *module.after, *module.map);
    std::ranges::move(
        DescribeChangedTypes(module.before->types(), module.after->types(), differences.types),
        std::back_inserter(inspection.types));
    Append(std::move(differences), inspection.differences);
    Append(module.map->ChangedFunctions(), inspection.changed_functions);
  }
}

std::vector<KnownFile> FilesWith(const Inspection& inspection, bool old_version) {
  std::vector<KnownFile> files;
  files.push_back({old_version ? inspection.before : inspection.after, inspection.executable});
  for (const mutator::ModuleVersions& module : inspection.modules) {
    files.push_back({old_version ? module.before : module.after, module.before_path});
  }
  return files;
}

}  // namespace

Result<Inspection> Inspect(const Options& options) {
  Inspection inspection;
  MCR_TRY(CheckPrivileges());
  MCR_TRY(tracer::CheckAttachable(options.pid));
  const tracer::ProcFs procfs;
  MCR_ASSIGN(inspection.start, ReadStart(options.pid));
  inspection.executable = inspection.start.executable;
  MCR_ASSIGN(inspection.profile, ChooseProfile(options, inspection.executable));

  MCR_ASSIGN(const auto tree, tracer::ProgramTree::Of(options.pid));
  MCR_ASSIGN(inspection.pids, tree.List());
  for (pid_t pid : inspection.pids) {
    const Status attachable = tracer::CheckAttachable(pid);
    if (!attachable && pid != options.pid && !procfs.Exists(pid)) continue;
    MCR_TRY(attachable);
  }
  inspection.checkpoint = ChooseCheckpoint(options.checkpoint, inspection.pids);
  if (inspection.checkpoint == CheckpointMode::kCriu) {
    MCR_ASSIGN(inspection.criu, FindCriu(options.criu));
  }
  MCR_TRY(LoadModules(options, inspection));
  MCR_TRY(CorrectStart(*inspection.before, inspection.profile, inspection.start));
  CompareModules(inspection);
  return inspection;
}

size_t Inspection::functions() const {
  size_t count = 0;
  for (const mutator::ModuleVersions& module : modules) count += module.before->functions().size();
  return count;
}

std::vector<KnownFile> Inspection::OldFiles() const { return FilesWith(*this, true); }
std::vector<KnownFile> Inspection::NewFiles() const { return FilesWith(*this, false); }

}  // namespace mcr::update
