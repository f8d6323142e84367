// One recorded client, who says again what it said.
#ifndef MCR_RECORD_REPLAYED_CLIENT_H_
#define MCR_RECORD_REPLAYED_CLIENT_H_

#include <netinet/in.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "mcr/record/announced_ports.h"
#include "mcr/record/compare.h"
#include "mcr/record/recording.pb.h"
#include "mcr/record/schedule.h"

namespace mcr::record {

// nullopt for what is no numeric address.
std::optional<sockaddr_in6> Resolve(const std::string& host, uint16_t port);

class ReplayedClient {
 public:
  struct Server {
    std::string host;
    uint16_t port = 0;  // of those who were not told another
    std::chrono::milliseconds timeout{};
    const AnnouncedPorts* announced = nullptr;
    const Masks* masks = nullptr;
  };

  // When what it has to do first was recorded, for its schedule.
  static uint64_t BeginOf(const Connection& recorded);

  // `index`: in the schedule. `announcer`: who is told this client's port; nullptr if nobody has to
  // be. All are borrowed.
  ReplayedClient(const Connection& recorded, size_t index, Server server, Schedule& schedule,
                 ReplayedClient* announcer)
      : recorded_(recorded),
        index_(index),
        server_(std::move(server)),
        schedule_(schedule),
        announcer_(announcer) {}

  // In a thread of its own. Fails if not everything could be said.
  Status Run();

  // Once it has run.
  const std::string& received() const { return received_; }
  uint64_t sent() const { return sent_; }

 private:
  Status Say();
  Status Repeat(const Piece& piece);
  void End();
  void AwaitTurn(uint64_t at_us);
  Status Connect();
  Status Send(std::string_view data);
  // Until as much is there as had been by now, and so much more, the server has closed, or the time
  // is over: what is missing shows in the comparison.
  Status Receive(size_t more, std::chrono::milliseconds timeout);
  // What is masked may be longer or shorter than it was.
  bool HasReceived(size_t masked_bytes) const;
  // Blocks until that many ports and one are announced; fails when that cannot happen any more.
  Result<uint16_t> AwaitAnnounced(size_t index);
  void Announce(bool over);

  const Connection& recorded_;
  const size_t index_;
  const Server server_;
  Schedule& schedule_;
  ReplayedClient* const announcer_;
  OwnedFd socket_;
  std::string expected_;  // what the server had sent by now
  std::string received_;
  uint64_t sent_ = 0;
  bool closed_ = false;

  std::mutex mutex_;  // guards what other clients read
  std::condition_variable announced_more_;
  std::vector<uint16_t> announced_;
  bool over_ = false;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_REPLAYED_CLIENT_H_
