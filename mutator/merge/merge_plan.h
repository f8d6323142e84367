// What a merge decides: the plan to carry out, and what there is to say about it.
#ifndef MCR_MUTATOR_MERGE_MERGE_PLAN_H_
#define MCR_MUTATOR_MERGE_MERGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mutator/merge/account.h"

namespace mcr::mutator {

struct PointerCounts {
  uint64_t functions = 0, instructions = 0, variables = 0, literals = 0, layout = 0;
  uint64_t precise = 0;  // known to be pointers: registers, return addresses, the kernel's tables,
                         // ld.so's link map
  uint64_t likely = 0;   // found by conservative scanning
  uint64_t mangled = 0;  // with the C library's pointer guard
  uint64_t shifted =
      0;  // remains of old pointers that are none: moved along with the program (process_merge.cc)
  uint64_t undecided = 0;  // right as a pointer and as the end of a text (constant_copies.h)
  uint64_t moved = 0;      // to objects that were reshaped or have another place
  uint64_t pinned = 0;  // not said to be pointers: addresses of reshaped objects that stay in place
  uint64_t unproven = 0;  // of the likely ones, to data, in memory of unknown type; if strict
  uint64_t retargeted() const { return precise + likely; }
};

struct VariableCounts {
  uint64_t kept = 0;         // live value
  uint64_t initialised = 0;  // the new version's value: nobody had touched the old one
  // Of those kept, the untouched ones: their value speaks of memory or descriptors of its process.
  uint64_t bound = 0;
  uint64_t dropped = 0;  // only in the old version
};

struct ObjectCounts {
  uint64_t typed = 0;        // found by precise tracing; 0 if no type changes
  uint64_t transformed = 0;  // of a changed type
  uint64_t moved = 0;        // of these: did not fit their allocation
  uint64_t initialised = 0;  // values that the new version's start computes otherwise
  uint64_t brought = 0;      // that only the new version's start allocates
};

struct MergePlan {
  checkpoint::GraftPlan graft;
  std::vector<Account> accounts;  // of graft.processes
  PointerCounts pointers;
  VariableCounts variables;
  int rebuilt_frames = 0;  // of changed functions that are active
  ObjectCounts objects;
  std::vector<std::string> conflicts;  // both changed: the live value was kept
  std::vector<std::string> warnings;   // the plan is less than it could be
  std::vector<std::string> problems;   // what forbids the update; empty: the plan may be applied
  // How many of them are words that memory happens to hold: a moment later there may be none.
  size_t passing_problems = 0;

  // How many are about objects: of a server at work, others a moment later.
  size_t object_problems = 0;

  bool ProblemsAreOfTheMoment() const {
    return !problems.empty() && passing_problems + object_problems >= problems.size();
  }
  bool ProblemsMayPass() const { return !problems.empty() && passing_problems >= problems.size(); }
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MERGE_PLAN_H_
