// Variables that both versions have, in memory that stays writable after start-up.
#ifndef MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_
#define MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

struct VariablePair {
  const Variable* before = nullptr;
  const Variable* after = nullptr;
};

// Whether annotations may call it that: "name", "unit:name" or "function:name".
bool IsCalled(const Variable& variable, const std::string& name);

// The new version's variables by what the old one calls them: name, unit and function, unless an
// annotation renames one. Thread-local ones are left out.
class VariableNames {
 public:
  // `after` outlives this.
  VariableNames(const Program& after, const profiles::Annotations& annotations);

  // nullptr: the new version has none, or an annotation says that it is not to be transferred.
  const Variable* Counterpart(const Variable& old_variable) const;

 private:
  std::unordered_map<std::string, const Variable*> by_key_;
  std::unordered_map<std::string, std::string> renamed_;
  std::unordered_map<std::string, bool> dropped_;
};

std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after,
                                                const VariableNames& names);

// Thread-local variables that both versions have.
std::vector<VariablePair> PairThreadLocals(const Program& before, const Program& after);

// Whether each thread-local variable is of the same type, at the same place, with the same initial
// value.
bool SameThreadLocals(const Program& before, const Program& after);

// True for memory that can change after start-up: writable and not RELRO.
bool StaysWritable(const Program& program, Range<FileAddr> range);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_VARIABLE_PAIRS_H_
