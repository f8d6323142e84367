#include "checkpoint/criu/criu_log.h"

namespace mcr::checkpoint {
namespace {

std::string LineAt(const std::string& log, size_t at) {
  return at == std::string::npos ? "" : log.substr(at, log.find('\n', at) - at);
}

}  // namespace

// The first error is the cause of the others, but CRIU goes on where it may not raise its own limit
// of descriptors (criu/util.c, rlimit_unlimit_nofile).
std::string FindCriuError(const std::string& log, size_t begin) {
  constexpr char kError[] = "Error (";
  for (size_t at = log.find(kError, begin); at != std::string::npos;
       at = log.find(kError, at + 1)) {
    if (LineAt(log, at).find("RLIMIT_NOFILE for self") == std::string::npos) return LineAt(log, at);
  }
  return LineAt(log, log.rfind(kError));
}

}  // namespace mcr::checkpoint
