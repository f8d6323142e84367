// State filters (PROTEOS): a condition on the old version's variables that must hold at the pause.
//
// A C expression without side effects: names of variables, functions and enumerators; . -> [] * &,
// arithmetic, comparisons, logic, ?:, casts to integers and to pointers to the version's types;
// texts compared with == and !=. 'src/log.c'::level says which of several statics is meant, and
// loop::count a static of a function. Two things are not C's: all arithmetic is in 64 bits, and
// comparing goes by what numbers are: -1 is less than any unsigned one.
#ifndef MCR_MUTATOR_FILTER_STATE_FILTER_H_
#define MCR_MUTATOR_FILTER_STATE_FILTER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/filter/bound.h"
#include "mutator/filter/evaluator.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

// A file that variables are looked up in, and where processes have it mapped from.
struct FilterModule {
  std::shared_ptr<const Program> program;
  std::string path;
};

class StateFilter {
 public:
  // Everything that can be wrong with the expression itself is found here.
  static Result<StateFilter> Create(std::string expression, std::vector<FilterModule> modules);

  struct Verdict {
    bool holds = false;
    Observations values;  // that were read to find out
  };
  // nullopt: the process does not have a file that the filter speaks of, so that it says nothing
  // about it.
  Result<std::optional<Verdict>> Evaluate(const checkpoint::ProcessImage& image) const;
  // The same for one of many: `loaded` are the process's.
  Result<std::optional<Verdict>> Evaluate(const MemoryReader& memory,
                                          const LoadedModules& loaded) const;

  const std::string& expression() const { return expression_; }

 private:
  StateFilter(std::string expression, std::vector<FilterModule> modules, Bound bound);

  std::string expression_;
  std::vector<FilterModule> modules_;
  std::vector<bool> used_;  // by module
  Bound bound_;
};

// "`level` = 7, `*count` = 3".
std::string Text(const Observations& values);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_STATE_FILTER_H_
