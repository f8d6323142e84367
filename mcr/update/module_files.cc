#include "mcr/update/module_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "mcr/update/outdated.h"
#include "mutator/debuginfo/code_identity.h"
#include "mutator/debuginfo/split_program.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/stack/frame_planner.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

// A file that may be trusted with the server's memory.
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

// The kernel lets no process exchange its executable for the one that it has.
Status CheckOtherFile(const std::string& running, const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::equivalent(running, path, failed)) return {};
  return Fail("the server runs this very file already", path, "check --to");
}

Status CheckReplaced(const OutdatedModule& module) {
  if (!module.on_disk.empty()) return {};
  return Fail("a file that the server runs was deleted, and nothing took its place", module.path,
              "restart the server, or put the new version at that path");
}

void AddOnce(ModuleFiles files, std::vector<ModuleFiles>& to) {
  const bool known =
      std::ranges::any_of(to, [&](const ModuleFiles& other) { return other.path == files.path; });
  if (!known) to.push_back(std::move(files));
}

}  // namespace

Result<std::vector<ModuleFiles>> FindChangedFiles(const std::vector<pid_t>& pids,
                                                  const std::string& executable,
                                                  const std::string& to) {
  const tracer::ProcFs procfs;
  const std::string running = procfs.Path(pids.front(), "exe");
  std::vector<ModuleFiles> changed;
  if (!to.empty()) {
    MCR_ASSIGN(std::string new_program, CheckNewProgram(to));
    MCR_TRY(CheckOtherFile(running, new_program));
    changed.push_back({executable, running, std::move(new_program), true});
  }
  for (pid_t pid : pids) {
    auto outdated = FindOutdated(procfs, pid);
    if (!outdated && pid != pids.front()) continue;  // it has ended meanwhile
    MCR_TRY(outdated);
    for (OutdatedModule& module : *outdated) {
      if (module.is_program && !to.empty()) continue;
      MCR_TRY(CheckReplaced(module));
      AddOnce({module.path, module.running_file, module.on_disk, module.is_program}, changed);
    }
  }
  if (!changed.empty()) return changed;
  return Fail("the server runs what is on disk, its program and its libraries", executable,
              "name the new version with --to");
}

Result<mutator::ModuleVersions> LoadVersions(const ModuleFiles& files,
                                             const mutator::DebugSearch& search,
                                             const profiles::Annotations& annotations) {
  mutator::ModuleVersions versions;
  versions.before_path = versions.after_path = files.path;
  versions.new_file = files.new_file;
  versions.is_program = files.is_program;
  MCR_ASSIGN(versions.after, mutator::Program::Load(files.new_file, search));
  // What is still on disk under its name finds its debug information more easily.
  std::error_code failed;
  const bool on_disk = std::filesystem::equivalent(files.old_file, files.path, failed);
  MCR_ASSIGN(versions.before,
             mutator::Program::Load(on_disk ? files.path : files.old_file, search));
  // What one version's compiler keeps in parts is taken in parts in the other as well.
  auto before = mutator::SplitLike(versions.before, *versions.after);
  versions.after = mutator::SplitLike(versions.after, *versions.before);
  versions.before = std::move(before);
  MCR_ASSIGN(auto comparer, mutator::CodeComparer::Create(versions.before, versions.after));
  versions.map = std::make_shared<mutator::AddressMap>(versions.before, versions.after,
                                                       std::move(comparer), annotations);
  MCR_ASSIGN(versions.frames,
             mutator::FramePlanner::Create(versions.before, versions.after, search));
  return versions;
}

}  // namespace mcr::update
