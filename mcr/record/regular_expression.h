// POSIX extended regular expressions over bytes, line by line (regex(7)).
#ifndef MCR_RECORD_REGULAR_EXPRESSION_H_
#define MCR_RECORD_REGULAR_EXPRESSION_H_

#include <regex.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::record {

class RegularExpression {
 public:
  // Fails for a text that is none, and names it.
  static Result<RegularExpression> Create(const std::string& expression);

  size_t groups() const { return compiled_->re_nsub; }

  // `match`: the whole of it first, then the groups, as views of `text`. Empty matches end it:
  // there would be no end to them.
  void ForEachMatch(std::string_view text,
                    const std::function<void(const std::vector<std::string_view>&)>& match) const;

 private:
  explicit RegularExpression(regex_t compiled);

  std::shared_ptr<const regex_t> compiled_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_REGULAR_EXPRESSION_H_
