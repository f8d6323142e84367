#include "mcr/update/inspect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "checkpoint/twin.h"
#include "mcr/update/criu_program.h"
#include "mcr/update/module_files.h"
#include "mcr/update/start.h"
#include "mcr/update/surroundings.h"
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

// A version of the same program has most of its functions, or has most of its own from it: programs
// are split up, too.
Status CheckSameProgram(const mutator::Program& before, const mutator::Program& after,
                        const std::string& path) {
  std::unordered_set<std::string> names;
  for (const auto& function : after.functions()) names.insert(function.name);
  const auto shared = static_cast<size_t>(std::ranges::count_if(
      before.functions(), [&](const auto& function) { return names.contains(function.name); }));
  const size_t ours = before.functions().size(), theirs = after.functions().size();
  const bool most_stay = 2 * shared >= ours;
  const bool most_are_old = 2 * shared >= theirs && 4 * shared >= ours;
  if (!most_stay && !most_are_old) {
    return Fail("the new file is not a version of the one that runs: it has " +
                    std::to_string(shared) + " of its " + std::to_string(ours) + " functions",
                path, "check --pid and --to");
  }
  return {};
}

Status CheckPositionIndependent(const mutator::Program& program, const std::string& path) {
  if (program.position_independent()) return {};
  return Fail("the program is linked to a fixed address", path,
              "mcr needs a position-independent executable (gcc -pie), as Debian builds them");
}

Result<std::optional<profiles::Profile>> ChooseProfile(const std::string& file,
                                                       const std::string& executable) {
  if (file.empty()) return profiles::FindShipped(executable);
  MCR_ASSIGN(profiles::Profile profile, profiles::LoadProfile(file));
  if (!profiles::IsFor(profile, executable)) {
    return Fail("the profile is for \"" + profile.identity().name() + "\", not for this server",
                file + " and " + executable, "check --profile and --pid");
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

bool CanHaveTwins(const std::vector<pid_t>& pids) {
  return std::ranges::all_of(pids,
                             [](pid_t pid) { return checkpoint::Twin::Check(pid).has_value(); });
}

bool IsLarge(const std::vector<pid_t>& pids) {
  constexpr uint64_t kLarge = (128 << 20) / 4096;  // pages; CRIU dumps about 1 GiB a second
  uint64_t pages = 0;
  for (const pid_t pid : pids) pages += ResidentPages(pid);
  return pages > kLarge;
}

Status ChooseCheckpoint(CheckpointMode wanted, Inspection& inspection) {
  inspection.checkpoint = wanted;
  if (wanted == CheckpointMode::kTwin) return {};
  const Status dumpable = CheckDumpable(inspection.pids.front());
  if (wanted != CheckpointMode::kAuto) return dumpable;
  inspection.twins_will_do = CanHaveTwins(inspection.pids);
  // CRIU would enter the children that are left alone, too, and a login in progress is confined.
  const bool twins_are_better = !dumpable || inspection.main_only || IsLarge(inspection.pids);
  const bool twins = inspection.twins_will_do && twins_are_better;
  inspection.checkpoint = twins ? CheckpointMode::kTwin : CheckpointMode::kCriu;
  if (twins || dumpable) return {};
  Error error = dumpable.error();
  error.advice = "it can have no twin either (a seccomp filter): restart it for this update";
  return tl::make_unexpected(std::move(error));
}

// Shared memory holds pointers into the program, which is to be at one place for all.
Status LeaveChildren(Inspection& inspection) {
  const pid_t main = inspection.pids.front();
  MCR_ASSIGN(const Mappings ours, tracer::ProcFs().ReadMappings(main));
  for (const pid_t child : std::span(inspection.pids).subspan(1)) {
    const auto theirs = tracer::ProcFs().ReadMappings(child);
    if (!theirs) continue;  // it has ended
    for (const Mapping& mapping : ours) {
      const auto is_same = [&](const Mapping& other) {
        return other.shared && other.device == mapping.device && other.inode == mapping.inode;
      };
      if (!mapping.shared || !mapping.writable || std::ranges::none_of(*theirs, is_same)) continue;
      return Fail("a process shares memory with the main one, and cannot keep the old version",
                  "PID " + std::to_string(child), "update without --main-only");
    }
    ++inspection.left_alone;
  }
  inspection.main_only = true;
  inspection.pids.resize(1);
  return {};
}

// Whether the new version has what the processes below the main one do in another program.
bool ChildrenStay(const Inspection& inspection) {
  if (!inspection.profile || !inspection.program_changes()) return false;
  const auto lacks = [](const mutator::Program& program, const std::string& name) {
    return std::ranges::find(program.functions(), name, &mutator::Function::name) ==
           program.functions().end();
  };
  const auto is_gone = [&](const std::string& name) {
    return lacks(*inspection.after, name) && !lacks(*inspection.before, name);
  };
  size_t persistent = 0;
  for (const profiles::Role& role : inspection.profile->learned().roles()) {
    persistent += role.persistence() == profiles::Role::PERSISTENT;
    if (role.persistence() == profiles::Role::PERSISTENT) continue;
    const bool stays =
        role.may_stay() && std::ranges::any_of(role.quiescent_points(), [&](const auto& point) {
          return std::ranges::any_of(point.call_stack(), is_gone);
        });
    if (!stays) return false;
  }
  return persistent == 1;
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

// `program`: a file with the old version's program, which is read if that stays.
Status LoadModules(const std::vector<ModuleFiles>& changed, const std::string& program,
                   const mutator::DebugSearch& search, Inspection& inspection) {
  const profiles::Annotations annotations =
      inspection.profile ? inspection.profile->annotations() : profiles::Annotations();
  for (const ModuleFiles& files : changed) {
    MCR_ASSIGN(mutator::ModuleVersions module, LoadVersions(files, search, annotations));
    MCR_TRY(CheckPositionIndependent(*module.before, files.path));
    MCR_TRY(CheckPositionIndependent(*module.after, files.new_file.path()));
    MCR_TRY(CheckSameProgram(*module.before, *module.after, files.new_file.path()));
    MCR_TRY(CheckIsNotLoader(module));
    inspection.modules.push_back(std::move(module));
    inspection.new_files.push_back(files.new_file);
  }
  if (inspection.program_changes()) {
    inspection.before = inspection.modules.front().before;
    inspection.after = inspection.modules.front().after;
    inspection.new_program = inspection.new_files.front().path();
    return {};
  }
  MCR_ASSIGN(inspection.before, mutator::Program::Load(program, search));
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

Result<Inspection> Inspect(const Target& target, const Options& options) {
  Inspection inspection;
  inspection.strict = options.strict;
  MCR_TRY(CheckPrivileges());
  MCR_TRY(tracer::CheckAttachable(target.pid));
  const tracer::ProcFs procfs;
  MCR_ASSIGN(inspection.start, ReadStart(target.pid));
  inspection.executable = inspection.start.executable;
  MCR_ASSIGN(inspection.profile, ChooseProfile(target.profile, inspection.executable));

  MCR_ASSIGN(const auto tree, tracer::ProgramTree::Of(target.pid));
  MCR_ASSIGN(inspection.pids, tree.List());
  if (options.main_only) MCR_TRY(LeaveChildren(inspection));
  for (pid_t pid : inspection.pids) {
    const Status attachable = tracer::CheckAttachable(pid);
    if (!attachable && pid != target.pid && !procfs.Exists(pid)) continue;
    MCR_TRY(attachable);
  }
  MCR_TRY(CheckUserNamespace(inspection.pids));
  MCR_ASSIGN(
      const std::vector<ModuleFiles> changed,
      FindChangedFiles(inspection.pids, inspection.executable, target.to, inspection.start.uid));
  const std::string running = procfs.Path(inspection.pids.front(), "exe");
  MCR_TRY(LoadModules(changed, running, {options.debug_dirs}, inspection));
  if (!inspection.main_only && ChildrenStay(inspection)) MCR_TRY(LeaveChildren(inspection));
  MCR_TRY(ChooseCheckpoint(options.checkpoint, inspection));
  if (UsesCriu(inspection.checkpoint)) {
    MCR_ASSIGN(inspection.criu, FindCriu(options.criu));
  }
  MCR_TRY(CorrectStart(*inspection.before, inspection.profile, inspection.start));
  CompareModules(inspection);
  return inspection;
}

Result<Inspection> InspectVersions(VersionsToLoad versions) {
  Inspection inspection;
  inspection.executable = std::move(versions.executable);
  inspection.profile = std::move(versions.profile);
  inspection.strict = versions.strict;
  MCR_TRY(LoadModules(versions.files, versions.program_file, versions.search, inspection));
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

std::vector<std::string> Inspection::Warnings() const {
  if (left_alone == 0) return {};
  return {fmt::format("{} process{} below the main one go{} on with the old version", left_alone,
                      left_alone == 1 ? "" : "es", left_alone == 1 ? "es" : "")};
}

std::vector<std::string> Inspection::NewPaths() const {
  std::vector<std::string> paths;
  for (const NewFile& file : new_files) paths.push_back(file.path());
  return paths;
}

}  // namespace mcr::update
