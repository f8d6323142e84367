// The tables by which glibc's loader tells which module holds an address (_dl_find_object, since
// 2.35; elf/dl-find_object.c): C++ exceptions, the cancellation of threads and backtraces find a
// module's unwind information through them. They are searched by bisection, so that the records of
// modules that move must not only change but change places.
#ifndef MCR_MUTATOR_MERGE_OBJECT_TABLES_H_
#define MCR_MUTATOR_MERGE_OBJECT_TABLES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/loader_state.h"

namespace mcr::mutator {

// As the loader has it in memory.
struct ObjectRecord {
  uint64_t begin = 0, end = 0;  // the module's addresses
  uint64_t link_map = 0;
  uint64_t unwind = 0;  // its PT_GNU_EH_FRAME
};

class ObjectTables {
 public:
  // Empty for a process whose loader has none: an older glibc, or another C library. What start-up
  // loaded is in one table, what dlopen(3) did in another one, of which there are two copies.
  static Result<ObjectTables> Find(const checkpoint::ProcessImage& image,
                                   const LoadedModules& modules, const LinkMaps& links);

  bool exist() const { return exist_; }
  // Of one module. Several if its parts do not follow upon each other.
  std::vector<ObjectRecord> Of(Addr link_map) const;
  // In each table that has as many of them; false if none has, or one has another number.
  bool Exchange(Addr link_map, const std::vector<ObjectRecord>& records);
  // All of what is in the tables, in order.
  void Write(checkpoint::WriteList& writes) const;
  std::vector<Range<Addr>> ranges() const;

 private:
  struct Table {
    std::vector<Range<Addr>> pieces;  // of memory, in the order of the records
    std::vector<ObjectRecord> records;
    Addr end;  // where the loader keeps the end of the last module; null: it does not
  };
  class Finder;

  bool exist_ = false;
  std::vector<Table> tables_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_OBJECT_TABLES_H_
