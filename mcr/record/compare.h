// Whether a server answered as it did when it was recorded.
#ifndef MCR_RECORD_COMPARE_H_
#define MCR_RECORD_COMPARE_H_

#include <regex.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::record {

// What is not compared. POSIX extended regular expressions over bytes, line by line.
class Masks {
 public:
  // Fails for an expression that is none, and names it.
  static Result<Masks> Create(const std::vector<std::string>& expressions);
  Masks(Masks&& other) noexcept : compiled_(std::move(other.compiled_)) { other.compiled_.clear(); }
  Masks& operator=(Masks&&) = delete;
  ~Masks();

  std::string Apply(std::string text) const;

 private:
  Masks() = default;
  std::vector<regex_t> compiled_;
};

// The lines that differ, "-" recorded and "+" replayed, a few of them; "" if nothing does.
std::string Difference(std::string_view recorded, std::string_view replayed);

}  // namespace mcr::record

#endif  // MCR_RECORD_COMPARE_H_
