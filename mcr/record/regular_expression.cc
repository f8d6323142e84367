#include "mcr/record/regular_expression.h"

#include <array>
#include <utility>

namespace mcr::record {

RegularExpression::RegularExpression(regex_t compiled)
    : compiled_(new regex_t(compiled), [](regex_t* owned) {
        regfree(owned);
        delete owned;
      }) {}

Result<RegularExpression> RegularExpression::Create(const std::string& expression) {
  regex_t compiled;
  const int failed = regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NEWLINE);
  if (failed == 0) return RegularExpression(compiled);
  std::array<char, 128> why;
  regerror(failed, &compiled, why.data(), why.size());
  return Fail(std::string("no regular expression: ") + why.data(), expression);
}

void RegularExpression::ForEachMatch(
    std::string_view text,
    const std::function<void(const std::vector<std::string_view>&)>& match) const {
  std::vector<regmatch_t> found(groups() + 1);
  regoff_t at = 0;
  while (true) {
    found[0] = {at, static_cast<regoff_t>(text.size())};
    if (regexec(compiled_.get(), text.data(), found.size(), found.data(), REG_STARTEND) != 0)
      return;
    if (found[0].rm_eo == found[0].rm_so) return;
    std::vector<std::string_view> views;
    for (const regmatch_t& part : found) {
      views.push_back(part.rm_so < 0 ? std::string_view()
                                     : text.substr(static_cast<size_t>(part.rm_so),
                                                   static_cast<size_t>(part.rm_eo - part.rm_so)));
    }
    match(views);
    at = found[0].rm_eo;
  }
}

}  // namespace mcr::record
