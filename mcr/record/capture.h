// The packets that a server and its clients exchange, as packet(7) shows them. Neither side is
// stopped or delayed, and none can tell.
#ifndef MCR_RECORD_CAPTURE_H_
#define MCR_RECORD_CAPTURE_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/sys/procfs.h"

namespace mcr::record {

class Capture {
 public:
  // In the network namespace of `pid`, which this thread enters. Begins at once.
  static Result<Capture> Begin(const tracer::ProcFs& procfs, pid_t pid);

  int fd() const { return socket_.get(); }  // readable when packets have come

  // Hands over all packets that have come, each once, although the loopback device shows it twice.
  Status Read(const std::function<void(std::span<const std::byte> packet)>& sink);

  // How many packets the kernel had no room for.
  Result<size_t> Dropped() const;

 private:
  explicit Capture(OwnedFd socket) : socket_(std::move(socket)), buffer_(kLargestPacket) {}

  // Segments that the network card is to cut up come whole.
  static constexpr size_t kLargestPacket = 1 << 17;

  OwnedFd socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_CAPTURE_H_
