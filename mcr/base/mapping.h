// One line of /proc/PID/maps (proc_pid_maps(5)), or its counterpart in a checkpoint image.
#ifndef MCR_BASE_MAPPING_H_
#define MCR_BASE_MAPPING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"

namespace mcr {

struct Mapping {
  Range<Addr> range;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  uint64_t file_offset = 0;  // bytes
  uint64_t device = 0;       // makedev(major, minor); with inode 0: anonymous
  uint64_t inode = 0;
  std::string path;      // "", "[heap]", "[stack]", "/usr/sbin/server": without " (deleted)"
  bool deleted = false;  // the file is no longer at `path`

  bool IsFile() const { return inode != 0; }
};

// Sorted by address, not overlapping.
using Mappings = std::vector<Mapping>;

// The mapping that holds `address`, or nullptr.
const Mapping* FindMapping(const Mappings& mappings, Addr address);

}  // namespace mcr

#endif  // MCR_BASE_MAPPING_H_
