#include "mcr/update/criu_program.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace mcr::update {
namespace {

constexpr char kAdvice[] = "run third_party/criu/build, install CRIU 4.1 or later, or give --criu";

bool IsProgram(const std::string& path) {
  std::error_code failed;
  return access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path, failed);
}

std::string InCache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache == nullptr && home == nullptr) return "";
  const std::filesystem::path directory =
      std::filesystem::path(cache != nullptr ? cache : std::string(home) + "/.cache") / "mcr";
  std::vector<std::string> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::string program = entry.path() / "criu";
    if (entry.path().filename().string().starts_with("criu-") && IsProgram(program)) {
      found.push_back(program);
    }
  }
  return found.empty() ? "" : *std::ranges::max_element(found);
}

std::string InPath() {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (IsProgram(directory + "/criu")) return directory + "/criu";
  }
  return "";
}

}  // namespace

Result<std::string> FindCriu(const std::string& wanted) {
  const char* environment = std::getenv("MCR_CRIU");
  const std::string named = !wanted.empty() ? wanted : environment != nullptr ? environment : "";
  if (!named.empty()) {
    if (IsProgram(named)) return named;
    return Fail("there is no criu to run", named, kAdvice);
  }
  if (std::string cached = InCache(); !cached.empty()) return cached;
  if (std::string installed = InPath(); !installed.empty()) return installed;
  return Fail("criu is not installed", "", kAdvice);
}

}  // namespace mcr::update
