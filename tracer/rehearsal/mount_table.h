// What a sandbox does with each mount of the server: a pure function of /proc/PID/mountinfo.
#ifndef MCR_TRACER_REHEARSAL_MOUNT_TABLE_H_
#define MCR_TRACER_REHEARSAL_MOUNT_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace mcr::tracer {

struct MountPoint {
  std::string path;
  bool writable = false;
  unsigned long flags = 0;  // MS_NOSUID, MS_NODEV, MS_NOEXEC

  bool operator==(const MountPoint&) const = default;
};

// The mounts that appear in a sandbox, each parent before what is mounted below it. Left out:
// /proc, /sys and /dev with all below them, which a sandbox has of its own; file systems that hold
// kernel objects and no files; mounts that a later one at the same place hides.
std::vector<MountPoint> ParseMountTable(std::string_view mountinfo);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_MOUNT_TABLE_H_
