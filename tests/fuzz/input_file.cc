#include "tests/fuzz/input_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace mcr::fuzz {

InputDirectory::InputDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "mcr-fuzz-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

InputDirectory::~InputDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string InputDirectory::Write(const std::string& name, std::span<const uint8_t> contents) {
  if (name.empty() || name == "." || name == ".." || name.find_first_of({"/\0", 2}) != name.npos) {
    return "";
  }
  const std::string path = path_ + "/" + name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(contents.data()),
             static_cast<std::streamsize>(contents.size()));
  return path;
}

void InputDirectory::Clear() {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    std::filesystem::remove_all(entry.path());
  }
}

}  // namespace mcr::fuzz
