// The entries of an epoll instance as /proc/PID/fdinfo lists them (proc_pid_fdinfo(5)).
#ifndef MCR_CHECKPOINT_EPOLL_INFO_H_
#define MCR_CHECKPOINT_EPOLL_INFO_H_

#include <string_view>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// `text`: the whole fdinfo file of descriptor `epoll_fd`; lines of other kinds are skipped.
Result<std::vector<EpollEntry>> ParseEpollInfo(int epoll_fd, std::string_view text);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_EPOLL_INFO_H_
