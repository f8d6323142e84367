// What the names in a state filter stand for.
#ifndef MCR_MUTATOR_FILTER_NAMES_H_
#define MCR_MUTATOR_FILTER_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class FilterNames {
 public:
  using Programs = std::vector<std::shared_ptr<const Program>>;
  explicit FilterNames(const Programs& programs) : programs_(programs) {}

  struct Named {
    size_t module = 0;
    const Variable* variable = nullptr;
    const Function* function = nullptr;
    std::optional<int64_t> enumerator;
  };
  // `unit`: "" or the end of a source file's path. A global before statics of that name, variables
  // before functions, functions before enumerators. Fails if there is none, or more than one.
  Result<Named> Find(const std::string& unit, const std::string& name) const;

 private:
  Result<std::optional<Named>> FindVariable(const std::string& unit, const std::string& name) const;
  std::optional<Named> FindFunction(const std::string& unit, const std::string& name) const;
  std::optional<Named> FindEnumerator(const std::string& name) const;
  bool IsInAnotherForm(const Named& named) const;
  bool IsScattered(const std::string& name) const;
  std::string Near(const std::string& name) const;

  const Programs& programs_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_NAMES_H_
