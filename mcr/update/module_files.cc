#include "mcr/update/module_files.h"

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

// The kernel lets no process exchange its executable for the one that it has.
Status CheckOtherFile(const std::string& running, const NewFile& other) {
  std::error_code failed;
  if (!std::filesystem::equivalent(running, other.file(), failed)) return {};
  return Fail("the server runs this very file already", other.path(), "check --to");
}

Status CheckReplaced(const OutdatedModule& module) {
  if (!module.on_disk.empty()) return {};
  return Fail("a file that the server runs was deleted, and nothing took its place", module.path,
              "restart the server, or put the new version at that path");
}

// People know the file by its path, also where it is read by a link in /proc.
Result<std::shared_ptr<const mutator::Program>> LoadAs(const std::string& path,
                                                       const std::string& file,
                                                       const mutator::DebugSearch& search) {
  auto program = mutator::Program::Load(file, search);
  if (!program && program.error().where == file) program.error().where = path;
  return program;
}

void AddOnce(ModuleFiles files, std::vector<ModuleFiles>& to) {
  const bool known =
      std::ranges::any_of(to, [&](const ModuleFiles& other) { return other.path == files.path; });
  if (!known) to.push_back(std::move(files));
}

}  // namespace

Result<std::vector<ModuleFiles>> FindChangedFiles(const std::vector<pid_t>& pids,
                                                  const std::string& executable,
                                                  const std::string& to, uid_t owner) {
  const tracer::ProcFs procfs;
  const std::string running = procfs.Path(pids.front(), "exe");
  std::vector<ModuleFiles> changed;
  if (!to.empty()) {
    MCR_ASSIGN(NewFile new_program, NewFile::Open(to, owner));
    MCR_TRY(new_program.CheckExecutable());
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
      MCR_ASSIGN(NewFile on_disk, NewFile::Open(module.on_disk, owner));
      AddOnce({module.path, module.running_file, std::move(on_disk), module.is_program}, changed);
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
  versions.new_file = files.new_file.file();
  versions.is_program = files.is_program;
  MCR_ASSIGN(versions.after, LoadAs(files.new_file.path(), files.new_file.file(), search));
  MCR_ASSIGN(versions.before, LoadAs(files.path, files.old_file, search));
  // What one version's compiler keeps in parts is taken in parts in the other as well.
  auto before = mutator::SplitLike(versions.before, *versions.after);
  versions.after = mutator::SplitLike(versions.after, *versions.before);
  versions.before = std::move(before);
  MCR_ASSIGN(auto comparer, mutator::CodeComparer::Create(versions.before, versions.after));
  versions.map = std::make_shared<mutator::AddressMap>(versions.before, versions.after,
                                                       std::move(comparer), annotations);
  MCR_ASSIGN(versions.frames, mutator::FramePlanner::Create(versions.before, versions.after, search,
                                                            {annotations.start_frame().begin(),
                                                             annotations.start_frame().end()}));
  return versions;
}

}  // namespace mcr::update
