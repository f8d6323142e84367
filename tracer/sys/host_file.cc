#include "tracer/sys/host_file.h"

#include <fstream>
#include <iterator>

namespace mcr::tracer {

std::string ReadHostFile(const std::string& name) {
  std::ifstream file("/proc/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace mcr::tracer
