#include "mutator/debuginfo/debug_file_finder.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/Support/CRC.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/Program.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mutator/debuginfo/dwarf_reader.h"

namespace mcr::mutator {
namespace {

namespace fs = std::filesystem;

constexpr char kSystemDebugDir[] = "/usr/lib/debug";
constexpr unsigned kDebuginfodSeconds = 60;

struct DebugLink {
  std::string name;
  uint32_t checksum = 0;
};

// The section holds a file name, NUL, padding to four bytes, and the file's CRC-32.
std::optional<DebugLink> ReadDebugLink(const ElfFile& program) {
  const ElfFile::SectionHeader* header = program.FindHeader(".gnu_debuglink");
  if (header == nullptr) return std::nullopt;
  const std::span<const std::byte> bytes = program.BytesOf(*header);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t length = text.find('\0');
  if (length == 0 || length == text.npos) return std::nullopt;
  const size_t at = (length + 4) & ~size_t{3};
  DebugLink link{.name = std::string(text.substr(0, length))};
  if (at > bytes.size() || bytes.size() - at < sizeof link.checksum) return std::nullopt;
  if (link.name.find('/') != std::string::npos) return std::nullopt;  // a name, never a path
  std::memcpy(&link.checksum, bytes.data() + at, sizeof link.checksum);
  return link;
}

std::string BuildIdPath(const std::string& root, const std::string& build_id) {
  return root + "/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug";
}

// A link in /proc says where the file lies, or lay.
fs::path DirectoryOf(const std::string& path) {
  std::error_code failed;
  const fs::path place = path.starts_with("/proc/") ? fs::read_symlink(path, failed) : fs::path();
  return fs::absolute(place.is_absolute() ? place : fs::path(path), failed).parent_path();
}

std::vector<std::string> Candidates(const ElfFile& program, const std::optional<DebugLink>& link,
                                    const DebugSearch& search) {
  const fs::path directory = DirectoryOf(program.path());
  const std::string build_id = program.build_id();
  std::vector<std::string> candidates;
  if (link) {
    candidates.push_back((directory / link->name).string());
    candidates.push_back((directory / ".debug" / link->name).string());
    candidates.push_back(kSystemDebugDir + (directory / link->name).string());
  }
  if (build_id.size() > 2) candidates.push_back(BuildIdPath(kSystemDebugDir, build_id));
  for (const std::string& root : search.debug_dirs) {
    if (build_id.size() > 2) candidates.push_back(BuildIdPath(root, build_id));
    if (!link) continue;
    candidates.push_back(root + (directory / link->name).string());
    candidates.push_back(root + "/" + link->name);
  }
  return candidates;
}

bool ChecksumFits(const ElfFile& file, uint32_t checksum) {
  const std::span<const std::byte> bytes = file.bytes();
  return llvm::crc32(llvm::ArrayRef(reinterpret_cast<const uint8_t*>(bytes.data()),
                                    bytes.size())) == checksum;
}

bool Belongs(const ElfFile& program, const std::optional<DebugLink>& link, const ElfFile& file) {
  const std::string build_id = program.build_id();
  if (!build_id.empty()) return file.build_id() == build_id;
  return link && ChecksumFits(file, link->checksum);
}

// Asks the servers in DEBUGINFOD_URLS through the elfutils client, which prints the path of its
// cached copy.
std::optional<std::string> AskDebuginfod(const std::string& build_id) {
  const char* urls = std::getenv("DEBUGINFOD_URLS");
  if (urls == nullptr || *urls == '\0' || build_id.empty()) return std::nullopt;
  const auto client = llvm::sys::findProgramByName("debuginfod-find");
  llvm::SmallString<128> output;
  if (!client || llvm::sys::fs::createTemporaryFile("mcr-debuginfod", "", output)) {
    return std::nullopt;
  }
  const std::optional<llvm::StringRef> redirects[] = {"", output.str(), ""};
  const int status = llvm::sys::ExecuteAndWait(*client, {*client, "debuginfo", build_id},
                                               std::nullopt, redirects, kDebuginfodSeconds);
  const auto text = llvm::MemoryBuffer::getFile(output);
  llvm::sys::fs::remove(output);
  if (status != 0 || !text) return std::nullopt;
  return (*text)->getBuffer().rtrim().str();
}

tl::unexpected<Error> NothingFound(const ElfFile& program, const std::vector<std::string>& tried) {
  std::string places;
  for (const std::string& place : tried) places += (places.empty() ? "" : ", ") + place;
  const std::string build_id = program.build_id();
  return Fail("has no debug information (tried the file itself" +
                  (places.empty() ? "" : ", " + places) + ")",
              program.path(),
              "install the package with its debug symbols (…-dbgsym or …-dbg" +
                  (build_id.empty() ? "" : ", build-id " + build_id) +
                  ") or name their place with --debug-dir");
}

}  // namespace

Result<std::unique_ptr<ElfFile>> FindDebugFile(const ElfFile& program, const DebugSearch& search) {
  if (HasDwarf(program)) return nullptr;
  const std::optional<DebugLink> link = ReadDebugLink(program);
  std::vector<std::string> tried = Candidates(program, link, search);
  for (std::string& candidate : tried) {
    std::error_code error;
    if (!fs::exists(candidate, error)) continue;
    auto file = ElfFile::Open(candidate);
    if (!file) {
      candidate = file.error().Line();
    } else if (!Belongs(program, link, **file)) {
      candidate += " (of another build)";
    } else if (!HasDwarf(**file)) {
      candidate += " (empty)";
    } else {
      return std::move(*file);
    }
  }
  if (const auto fetched = AskDebuginfod(program.build_id())) {
    auto file = ElfFile::Open(*fetched);
    if (file && Belongs(program, link, **file) && HasDwarf(**file)) return std::move(*file);
    tried.push_back("debuginfod");
  }
  return NothingFound(program, tried);
}

}  // namespace mcr::mutator
