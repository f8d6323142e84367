// What an update did to a process's address space: what stayed, what was written to, what came and
// what went.
#ifndef MCR_UPDATE_MEMORY_MAP_H_
#define MCR_UPDATE_MEMORY_MAP_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"

namespace mcr::update {

enum class Fate {
  kStayed,    // untouched
  kWritten,   // stayed, some of its bytes were written
  kMapped,    // the new version's
  kUnmapped,  // the old version's
};

struct MemoryRegion {
  Range<Addr> range;
  std::string name;  // the file's path, "[heap]", or "" for anonymous memory
  Fate fate = Fate::kStayed;
  uint64_t written = 0;  // bytes
};

struct ProcessMemory {
  pid_t pid = 0;
  std::vector<MemoryRegion> regions;  // by address; neighbours of the same name and fate are one
};

// `before`: the process's mappings when it was stopped.
ProcessMemory DescribeMemory(const checkpoint::ProcessGraft& graft,
                             const std::vector<std::string>& new_files, const Mappings& before);

}  // namespace mcr::update

#endif  // MCR_UPDATE_MEMORY_MAP_H_
