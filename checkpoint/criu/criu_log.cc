#include "checkpoint/criu/criu_log.h"

namespace mcr::checkpoint {
namespace {

std::string LineAt(const std::string& log, size_t at) {
  return at == std::string::npos ? "" : log.substr(at, log.find('\n', at) - at);
}

}  // namespace

std::string FindCriuError(const std::string& log, size_t begin) {
  constexpr char kError[] = "Error (";
  const size_t first = log.find(kError, begin);
  return LineAt(log, first != std::string::npos ? first : log.rfind(kError));
}

}  // namespace mcr::checkpoint
