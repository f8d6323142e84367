// The input of a fuzz target as the file that the code under test wants to read.
#ifndef MCR_TESTS_FUZZ_INPUT_FILE_H_
#define MCR_TESTS_FUZZ_INPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mcr::fuzz {

// A directory of its own, with one file after the other in it; gone at the end.
class InputDirectory {
 public:
  InputDirectory();
  InputDirectory(const InputDirectory&) = delete;
  InputDirectory& operator=(const InputDirectory&) = delete;
  ~InputDirectory();

  const std::string& path() const { return path_; }
  // The path of a file with these contents, in place of one of that name. "": a name that no file
  // in a directory can have.
  std::string Write(const std::string& name, std::span<const uint8_t> contents);
  void Clear();

 private:
  std::string path_;
};

}  // namespace mcr::fuzz

#endif  // MCR_TESTS_FUZZ_INPUT_FILE_H_
