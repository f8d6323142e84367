#include "mcr/record/segment.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>

namespace mcr::record {
namespace {

using Bytes = std::span<const std::byte>;

template <class Header>
std::optional<Header> Read(Bytes bytes) {
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

std::string Text(const void* bytes, size_t size) {
  return std::string(static_cast<const char*>(bytes), size);
}

// The part of an IP packet behind its header, and the addresses into `segment`.
std::optional<Bytes> ReadIpv4(Bytes packet, Segment& segment) {
  const auto header = Read<iphdr>(packet);
  if (!header || header->protocol != IPPROTO_TCP) return std::nullopt;
  const uint16_t fragment = ntohs(header->frag_off);
  if ((fragment & (IP_MF | IP_OFFMASK)) != 0) return std::nullopt;
  const size_t header_size = size_t{header->ihl} * 4;
  // Segments that the network card is to cut up have no length in their header.
  size_t size = ntohs(header->tot_len);
  if (size == 0) size = packet.size();
  if (header_size < sizeof *header || size < header_size || packet.size() < size) {
    return std::nullopt;
  }
  segment.from = Text(&header->saddr, sizeof header->saddr);
  segment.to = Text(&header->daddr, sizeof header->daddr);
  return packet.subspan(header_size, size - header_size);
}

std::optional<Bytes> ReadIpv6(Bytes packet, Segment& segment) {
  const auto header = Read<ip6_hdr>(packet);
  if (!header || header->ip6_nxt != IPPROTO_TCP) return std::nullopt;
  size_t size = ntohs(header->ip6_plen);
  if (size == 0) size = packet.size() - sizeof *header;
  if (packet.size() < sizeof *header + size) return std::nullopt;
  segment.from = Text(&header->ip6_src, sizeof header->ip6_src);
  segment.to = Text(&header->ip6_dst, sizeof header->ip6_dst);
  return packet.subspan(sizeof *header, size);
}

}  // namespace

std::optional<Segment> ParsePacket(std::span<const std::byte> packet) {
  if (packet.empty()) return std::nullopt;
  Segment segment;
  const auto version = std::to_integer<unsigned>(packet[0]) >> 4;
  const auto payload = version == 4   ? ReadIpv4(packet, segment)
                       : version == 6 ? ReadIpv6(packet, segment)
                                      : std::nullopt;
  if (!payload) return std::nullopt;
  const auto header = Read<tcphdr>(*payload);
  if (!header) return std::nullopt;
  const size_t header_size = size_t{header->doff} * 4;
  if (header_size < sizeof *header || payload->size() < header_size) return std::nullopt;
  segment.from_port = ntohs(header->source);
  segment.to_port = ntohs(header->dest);
  segment.sequence = ntohl(header->seq);
  segment.syn = header->syn != 0;
  segment.ack = header->ack != 0;
  segment.fin = header->fin != 0;
  segment.reset = header->rst != 0;
  const Bytes data = payload->subspan(header_size);
  segment.data = Text(data.data(), data.size());
  return segment;
}

}  // namespace mcr::record
