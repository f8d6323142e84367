// --require: state filters that must hold in every process at the pause.
#ifndef MCR_UPDATE_REQUIREMENTS_H_
#define MCR_UPDATE_REQUIREMENTS_H_

#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/validation.h"
#include "mutator/filter/state_filter.h"

namespace mcr::update {

class Requirements {
 public:
  // Fails for what is no expression over the old version's variables.
  static Result<Requirements> Create(const std::vector<std::string>& expressions,
                                     const Inspection& server);

  // One for each. A filter speaks of the processes that have what it names, and needs at least one;
  // where it is false in any, the detail shows the values that made it so.
  std::vector<Check> Evaluate(const std::vector<const checkpoint::ProcessImage*>& processes) const;

 private:
  std::vector<mutator::StateFilter> filters_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_REQUIREMENTS_H_
