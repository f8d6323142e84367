// What class an object is of, from the virtual table that its first word points to (Itanium C++ ABI
// 2.5).
#ifndef MCR_MUTATOR_GRAPH_VIRTUAL_TABLES_H_
#define MCR_MUTATOR_GRAPH_VIRTUAL_TABLES_H_

#include <cstdint>
#include <map>
#include <optional>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class VirtualTables {
 public:
  // Both outlive the tables. `bias`: of the program in `memory`.
  VirtualTables(const Program& program, Addr bias, const MemoryReader& memory);

  // Whether values of this type begin with the address of a virtual table.
  bool HasTable(TypeId type) const;

  struct Class {
    TypeId type = 0;
    uint64_t to_top = 0;  // bytes by which the object begins before `at`
  };
  // nullopt: the word there is no table of the program.
  std::optional<Class> ClassOf(Addr at) const;

 private:
  const Program& program_;
  Addr bias_;
  const MemoryReader& memory_;
  std::map<FileAddr, std::pair<FileAddr, TypeId>> tables_;  // begin: end, class
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_VIRTUAL_TABLES_H_
