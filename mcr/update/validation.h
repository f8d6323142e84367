// What was checked before an update became final, check by check.
#ifndef MCR_UPDATE_VALIDATION_H_
#define MCR_UPDATE_VALIDATION_H_

#include <cstdint>
#include <string>

namespace mcr::update {

struct Check {
  std::string name;  // "old pointers"
  bool ok = true;
  uint64_t checked = 0;  // how many things were looked at
  std::string detail;    // what they are, or the first that is wrong
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_VALIDATION_H_
