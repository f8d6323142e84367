// One TCP segment out of an IP packet (RFC 791, 8200, 9293).
#ifndef MCR_RECORD_SEGMENT_H_
#define MCR_RECORD_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace mcr::record {

struct Segment {
  std::string from, to;  // addresses as they are in the packet, 4 or 16 bytes
  uint16_t from_port = 0, to_port = 0;
  uint32_t sequence = 0;  // of the first byte of `data`, or of SYN
  bool syn = false, ack = false, fin = false, reset = false;
  std::string data;
};

// nullopt for whatever is no whole TCP segment: other protocols, fragments, truncated packets.
std::optional<Segment> ParsePacket(std::span<const std::byte> packet);

}  // namespace mcr::record

#endif  // MCR_RECORD_SEGMENT_H_
