// Whether a server answered as it did when it was recorded.
#ifndef MCR_RECORD_COMPARE_H_
#define MCR_RECORD_COMPARE_H_

#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/record/regular_expression.h"

namespace mcr::record {

// What is not compared.
class Masks {
 public:
  // Fails for an expression that is none, and names it.
  static Result<Masks> Create(const std::vector<std::string>& expressions);

  std::string Apply(std::string text) const;

 private:
  std::vector<RegularExpression> expressions_;
};

// The lines that differ, "-" recorded and "+" replayed, a few of them; "" if nothing does.
std::string Difference(std::string_view recorded, std::string_view replayed);

}  // namespace mcr::record

#endif  // MCR_RECORD_COMPARE_H_
