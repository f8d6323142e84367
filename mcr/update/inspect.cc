#include "mcr/update/inspect.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <unordered_set>
#include <utility>

#include "mcr/update/criu_program.h"
#include "mcr/update/start.h"
#include "mutator/debuginfo/code_identity.h"
#include "profiles/shipped.h"
#include "tracer/attachable.h"
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

// The new program: a file that may be trusted with the server's memory.
Result<std::string> CheckNewProgram(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return FailErrno("cannot read the new program", path, "check --to");
  }
  if (!S_ISREG(info.st_mode))
    return Fail("the new program is not a regular file", path, "check --to");
  if ((info.st_mode & 0111) == 0) {
    return Fail("the new program is not executable", path, "check --to, or chmod +x");
  }
  std::error_code failed;
  const auto absolute = std::filesystem::canonical(path, failed);
  if (failed) return Fail("cannot resolve the new program's path", path);
  return absolute.string();
}

// A version of the same program has most of its functions.
Status CheckSameProgram(const mutator::Program& before, const mutator::Program& after) {
  std::unordered_set<std::string> names;
  for (const auto& function : after.functions()) names.insert(function.name);
  const auto shared = std::ranges::count_if(
      before.functions(), [&](const auto& function) { return names.contains(function.name); });
  if (2 * static_cast<size_t>(shared) < before.functions().size()) {
    return Fail("the new program is not a version of the one that runs: it has " +
                    std::to_string(shared) + " of its " +
                    std::to_string(before.functions().size()) + " functions",
                after.path(), "check --pid and --to");
  }
  return {};
}

// The kernel lets no process exchange its executable for the one that it has.
Status CheckOtherFile(pid_t pid, const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::equivalent(tracer::ProcFs().Path(pid, "exe"), path, failed)) return {};
  return Fail("the server runs this very file already", path, "check --to");
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

Status LoadPrograms(const Options& options, Inspection& inspection) {
  const mutator::DebugSearch search{options.debug_dirs};
  MCR_ASSIGN(inspection.after, mutator::Program::Load(inspection.new_program, search));
  // Through the process: also right when the file was replaced on disk.
  const tracer::ProcFs procfs;
  const std::string running = procfs.Path(options.pid, "exe");
  std::error_code failed;
  const bool on_disk = std::filesystem::equivalent(running, inspection.executable, failed);
  MCR_ASSIGN(inspection.before,
             mutator::Program::Load(on_disk ? inspection.executable : running, search));
  MCR_TRY(CheckPositionIndependent(*inspection.before));
  MCR_TRY(CheckPositionIndependent(*inspection.after));
  return CheckSameProgram(*inspection.before, *inspection.after);
}

}  // namespace

Result<Inspection> Inspect(const Options& options) {
  Inspection inspection;
  MCR_TRY(CheckPrivileges());
  MCR_TRY(tracer::CheckAttachable(options.pid));
  MCR_ASSIGN(inspection.new_program, CheckNewProgram(options.to));
  MCR_TRY(CheckOtherFile(options.pid, inspection.new_program));

  const tracer::ProcFs procfs;
  MCR_ASSIGN(inspection.start, ReadStart(options.pid));
  inspection.executable = inspection.start.executable;
  MCR_ASSIGN(inspection.profile, ChooseProfile(options, inspection.executable));
  MCR_ASSIGN(inspection.criu, FindCriu(options.criu));

  MCR_TRY(LoadPrograms(options, inspection));
  MCR_TRY(CorrectStart(*inspection.before, inspection.profile, inspection.start));
  MCR_ASSIGN(inspection.pids, procfs.Descendants(options.pid));
  inspection.pids.insert(inspection.pids.begin(), options.pid);
  for (pid_t pid : inspection.pids) MCR_TRY(tracer::CheckAttachable(pid));

  MCR_ASSIGN(auto comparer, mutator::CodeComparer::Create(inspection.before, inspection.after));
  inspection.addresses = std::make_shared<mutator::AddressMap>(inspection.before, inspection.after,
                                                               std::move(comparer));
  inspection.differences = mutator::Compare(*inspection.before, *inspection.after);
  inspection.changed_functions = inspection.addresses->ChangedFunctions();
  return inspection;
}

std::string FunctionName(const mutator::Program& program, Addr bias, Addr instruction) {
  const mutator::Function* function =
      program.FindFunction(FileAddr(instruction.value() - bias.value()));
  return function == nullptr ? "" : function->name;
}

}  // namespace mcr::update
