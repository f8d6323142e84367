#include "mcr/update/outdated.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "mutator/debuginfo/elf_file.h"

namespace mcr::update {
namespace {

constexpr std::string_view kMemoryFile = "/memfd:";

// stat(2) rather than the numbers in /proc/PID/maps: the two disagree on some file systems.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

std::optional<FileIdentity> Identify(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileIdentity{info.st_dev, info.st_ino};
}

struct OnDisk {
  std::string path;
  FileIdentity identity;
};

// What now has the name that the mapped file had. The kernel shows names of a container's files as
// the container sees them, and those of a chroot as everybody else does.
std::optional<OnDisk> FindOnDisk(const tracer::ProcFs& procfs, pid_t pid, const std::string& path) {
  const std::string inside = procfs.Path(pid, "root") + path;
  const auto ours = Identify(path);
  const auto theirs = Identify(inside);
  if (theirs && theirs != ours) return OnDisk{inside, *theirs};
  if (ours) return OnDisk{path, *ours};
  return std::nullopt;
}

bool HasDirectory(const tracer::ProcFs& procfs, pid_t pid, const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  std::error_code failed;
  return std::filesystem::exists(directory, failed) ||
         std::filesystem::exists(procfs.Path(pid, "root") + directory, failed);
}

bool MayBeModule(const Mapping& mapping) {
  return mapping.executable && mapping.IsFile() && !mapping.path.starts_with(kMemoryFile);
}

std::string BuildId(const std::string& path) {
  const auto file = mutator::ElfFile::Open(path);
  return file ? (*file)->build_id() : "";
}

// nullopt: what the process executes is on disk, or no ELF file.
std::optional<OutdatedModule> Examine(const tracer::ProcFs& procfs, pid_t pid,
                                      const Mapping& mapping) {
  const std::string mapped = procfs.MappedFile(pid, mapping);
  const auto running = Identify(mapped);
  if (!running) return std::nullopt;  // the process has ended, or unmapped it
  const auto disk = FindOnDisk(procfs, pid, mapping.path);
  if (disk ? disk->identity == *running : !mapping.deleted) return std::nullopt;

  const auto file = mutator::ElfFile::Open(mapped);
  if (!file) return std::nullopt;
  OutdatedModule module;
  module.path = mapping.path;
  module.running_file = mapped;
  module.running_build_id = (*file)->build_id();
  module.is_program = Identify(procfs.Path(pid, "exe")) == running;
  if (!disk && !module.is_program && !HasDirectory(procfs, pid, mapping.path)) return std::nullopt;
  if (!disk) return module;
  module.on_disk = disk->path;
  module.disk_build_id = BuildId(disk->path);
  const bool same_build =
      !module.running_build_id.empty() && module.running_build_id == module.disk_build_id;
  return same_build ? std::nullopt : std::optional(std::move(module));
}

}  // namespace

Result<std::vector<OutdatedModule>> FindOutdated(const tracer::ProcFs& procfs, pid_t pid) {
  MCR_ASSIGN(const Mappings mappings, procfs.ReadMappings(pid));
  std::vector<OutdatedModule> modules;
  const Mapping* last = nullptr;
  for (const Mapping& mapping : mappings) {
    if (!MayBeModule(mapping)) continue;
    const bool seen = last != nullptr && last->inode == mapping.inode &&
                      last->device == mapping.device && last->path == mapping.path;
    last = &mapping;
    if (seen) continue;
    if (auto module = Examine(procfs, pid, mapping)) modules.push_back(*std::move(module));
  }
  std::ranges::stable_partition(modules, &OutdatedModule::is_program);
  return modules;
}

}  // namespace mcr::update
