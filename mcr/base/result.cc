#include "mcr/base/result.h"

#include <cerrno>
#include <cstring>

namespace mcr {

std::string Error::Line() const {
  std::string line = what;
  if (!where.empty()) line += ", " + where;
  if (!advice.empty()) line += "; " + advice;
  return line;
}

tl::unexpected<Error> Fail(std::string what, std::string where, std::string advice) {
  return tl::make_unexpected(Error{std::move(what), std::move(where), std::move(advice), 0});
}

tl::unexpected<Error> FailErrno(std::string_view what, std::string where, std::string advice) {
  const int os_error = errno;
  std::string text(what);
  text += ": ";
  text += std::strerror(os_error);
  return tl::make_unexpected(Error{std::move(text), std::move(where), std::move(advice), os_error});
}

}  // namespace mcr
