// What a merge says that it has done to one process, beside the bytes to write: what validation
// goes by where it compares the old state with the new one.
#ifndef MCR_MUTATOR_MERGE_ACCOUNT_H_
#define MCR_MUTATOR_MERGE_ACCOUNT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct Account {
  struct Module {
    size_t index = 0;  // in GraftPlan::new_files
    Range<Addr> before, after;
    Addr before_bias, after_bias;  // where file address 0 is
  };
  // An allocation, or a piece of a region, whose values have the new version's layout now.
  struct Object {
    Range<Addr> before;
    Addr after;               // a placeholder if it moves (checkpoint::Allocation)
    uint64_t after_size = 0;  // bytes of all its values
    size_t module = 0;        // whose types these are: index into `modules`
    TypeId before_type = 0, after_type = 0;
    uint64_t count = 1;
    bool moves = false;
    bool in_region = false;  // what follows it may be another object
    // The field that leads to it, if an annotation (indexed) says that its elements go elsewhere,
    // each, and which `count` is not about then.
    std::string indexed = {};
  };

  // Bytes that are the same in both versions' starts, and where they are now.
  struct Run {
    Range<Addr> before;
    Addr after;  // a placeholder (checkpoint::Allocation)
  };

  std::vector<Module> modules;
  std::vector<Object> objects;  // by `before`
  std::vector<Run> runs;        // by `before`; may overlap
  // Old addresses: what is not carried over, because the new version's start says what is there
  // (untouched variables, the dynamic loader's records).
  std::vector<Range<Addr>> from_next;
  // The same of fields of variables, in variables that are kept otherwise.
  std::vector<Range<Addr>> fields_from_next;
  // The same of values on the heap that nobody had touched.
  std::vector<Range<Addr>> heap_from_next;
  // Old and new place of what is laid out anew as a whole: frames of a stack, a thread's blocks of
  // thread-local variables.
  std::vector<Range<Addr>> laid_out_anew;
  // Words that stay, whatever they look like: an annotation says that their bytes are copied, or
  // nobody reads them (what a region has not given out yet, the end of an array that is not there).
  std::vector<Range<Addr>> copied;
  // Memory that malloc had not given out: what lies there is nobody's, though a block of a region may
  // be there now.
  std::vector<Range<Addr>> unused;
  // Where copies of constants of the old versions are, with the same lower half of their address.
  std::vector<Range<Addr>> constant_copies;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_ACCOUNT_H_
