// How a failure travels: Result<T> holds a value or an Error; nothing here throws.
//
// An Error is one sentence for a person: what went wrong, where (address, tid, path, symbol), and
// what to do about it. The stage in which it happened is added by mcr/update, which alone knows it.
#ifndef MCR_BASE_RESULT_H_
#define MCR_BASE_RESULT_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace mcr {

struct Error {
  std::string what;    // "cannot attach: Operation not permitted"
  std::string where;   // "tid 4711", "/usr/sbin/server", "main+0x8"; may be empty
  std::string advice;  // "run as root"; may be empty
  int os_error = 0;    // errno if a system call was the cause

  // "what, where; advice", empty parts left out.
  std::string Line() const;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(tl::expected<T, Error> other) : tl::expected<T, Error>(std::move(other)) {}
};

using Status = Result<void>;

tl::unexpected<Error> Fail(std::string what, std::string where = {}, std::string advice = {});

// Appends strerror(errno) to `what` and keeps errno in the Error.
tl::unexpected<Error> FailErrno(std::string_view what, std::string where = {},
                                std::string advice = {});

}  // namespace mcr

#define MCR_CONCAT_INNER(a, b) a##b
#define MCR_CONCAT(a, b) MCR_CONCAT_INNER(a, b)

// MCR_ASSIGN(auto maps, ReadMaps(pid)): binds the value or returns the error from this function.
#define MCR_ASSIGN(declaration, expression) \
  MCR_ASSIGN_IMPL(MCR_CONCAT(mcr_result_, __LINE__), declaration, expression)
#define MCR_ASSIGN_IMPL(result, declaration, expression)                            \
  auto result = (expression);                                                       \
  if (!result.has_value()) return ::tl::make_unexpected(std::move(result.error())); \
  declaration = std::move(*result)

// MCR_TRY(Close()): returns the error, if there is one, from this function.
#define MCR_TRY(expression)                                              \
  do {                                                                   \
    if (auto mcr_try_result = (expression); !mcr_try_result.has_value()) \
      return ::tl::make_unexpected(std::move(mcr_try_result.error()));   \
  } while (false)

#endif  // MCR_BASE_RESULT_H_
