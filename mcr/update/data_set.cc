#include "mcr/update/data_set.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace mcr::update {

std::vector<std::string> FindDataSet(const std::string& directory, const std::string& shown_as,
                                     const std::vector<std::string>& patterns) {
  namespace fs = std::filesystem;
  constexpr int kDeepest = 1;
  std::vector<std::string> paths;
  if (patterns.empty() || shown_as == "/") return paths;
  std::error_code failed;
  // With a slash at the end: /proc/PID/cwd is a link.
  const fs::path top = directory + "/";
  fs::recursive_directory_iterator entries(top, fs::directory_options::skip_permission_denied,
                                           failed);
  for (; !failed && entries != fs::recursive_directory_iterator(); entries.increment(failed)) {
    if (entries.depth() >= kDeepest) entries.disable_recursion_pending();
    std::error_code gone;
    if (!entries->is_regular_file(gone)) continue;
    const std::string name = entries->path().lexically_relative(top);
    const bool is_data = std::ranges::any_of(patterns, [&](const std::string& pattern) {
      return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
    if (is_data) paths.push_back(fs::path(shown_as) / name);
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace mcr::update
