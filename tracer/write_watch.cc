#include "tracer/write_watch.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <cstdint>
#include <string>

#include "tracer/remote_call.h"

namespace mcr::tracer {
namespace {

// <linux/userfaultfd.h> of Linux 6.7, newer than the distribution's headers.
constexpr uint64_t kProtectAsynchronously = 1 << 15;  // UFFD_FEATURE_WP_ASYNC
constexpr uint64_t kUserModeOnly = 1;                 // what needs no privilege

}  // namespace

Result<WriteWatch> WriteWatch::Open(TracedProcess& process) {
  MCR_ASSIGN(Pagemap pagemap, Pagemap::Open(process.pid));
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_ASSIGN(const uint64_t number, injection->Call(SYS_userfaultfd, {O_CLOEXEC | kUserModeOnly}));
  // It belongs to the memory of the process that made it, whoever holds it.
  Result<OwnedFd> fetched = FetchFd(process.pid, static_cast<int>(number));
  MCR_TRY(injection->Call(SYS_close, {number}));
  MCR_TRY(injection->Close());
  MCR_ASSIGN(OwnedFd fd, std::move(fetched));
  uffdio_api api = {};
  api.api = UFFD_API;
  api.features = kProtectAsynchronously;
  if (ioctl(fd.get(), UFFDIO_API, &api) != 0) {
    return FailErrno("the kernel cannot watch for writes", "PID " + std::to_string(process.pid));
  }
  return WriteWatch(std::move(fd), std::move(pagemap));
}

Status WriteWatch::Add(Range<Addr> range) {
  uffdio_register request = {};
  request.range = {range.begin().value(), range.size()};
  request.mode = UFFDIO_REGISTER_MODE_WP;
  if (ioctl(fd_.get(), UFFDIO_REGISTER, &request) != 0) {
    return FailErrno("memory cannot be watched for writes", Hex(range.begin()));
  }
  return pagemap_.ForgetWrites(range);
}

}  // namespace mcr::tracer
