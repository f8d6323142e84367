// Variables that both versions have, in memory that stays writable after start-up.
#ifndef MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_
#define MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_

#include <vector>

#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

struct VariablePair {
  const Variable* before = nullptr;
  const Variable* after = nullptr;
};

// By name, unit and function.
std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after);

// True for memory that can change after start-up: writable and not RELRO.
bool StaysWritable(const Program& program, Range<FileAddr> range);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_
