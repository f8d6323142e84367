// Puts the segments of several TCP connections together to a recording.
#ifndef MCR_RECORD_RECORDER_H_
#define MCR_RECORD_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "mcr/record/announced_ports.h"
#include "mcr/record/recording.pb.h"
#include "mcr/record/segment.h"

namespace mcr::record {

class Recorder {
 public:
  Recorder(std::set<uint16_t> ports, AnnouncedPorts announced)
      : ports_(std::move(ports)), announced_(std::move(announced)) {}

  void Add(const Segment& segment, uint64_t at_us);

  // What is worth replaying; `remarks`: what is left out, and why, a line each.
  Recording Finish(std::vector<std::string>& remarks) const;

 private:
  // One direction of a connection.
  struct Stream {
    bool begun = false, ended = false;
    uint32_t next = 0;                      // sequence number of the next byte
    std::map<uint32_t, std::string> early;  // by how far they are ahead of the first byte
    uint32_t first = 0;
    bool complete() const { return early.empty(); }
    // The bytes that follow those that were had; "" if they have not come yet.
    std::string Take(const Segment& segment);
  };
  struct Flow {
    Connection connection;
    Stream client, server;
    uint32_t announcements = 0;  // that its answers held
  };
  using Key = std::tuple<std::string, uint16_t, std::string, uint16_t>;  // client, server

  void Open(const Key& key, uint64_t at_us);
  void NoteAnnouncements(size_t flow, const std::string& answer);
  // Why a flow cannot be replayed; "" if it can. `kept`: of those before it, where they are in the
  // recording, if they are.
  std::string Obstacle(const Flow& flow, const std::map<size_t, int>& kept) const;

  std::set<uint16_t> ports_;
  const AnnouncedPorts announced_;
  std::map<uint16_t, Announcement> announcements_;  // by port; `connection` indexes flows_
  std::map<Key, size_t> open_;                      // index into flows_
  std::vector<Flow> flows_;
  std::set<Key> joined_late_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_RECORDER_H_
