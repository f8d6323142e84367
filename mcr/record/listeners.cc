#include "mcr/record/listeners.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <vector>

namespace mcr::record {
namespace {

constexpr std::string_view kSocket = "socket:[";
constexpr std::string_view kListening = "0A";  // TCP_LISTEN
constexpr unsigned kUnixListening = 1 << 16;   // __SO_ACCEPTCON

std::set<uint64_t> SocketsOf(const tracer::ProcFs& procfs, pid_t pid) {
  std::set<uint64_t> sockets;
  const auto descriptors = procfs.Descriptors(pid);
  if (!descriptors) return sockets;  // it ended meanwhile
  for (const int fd : *descriptors) {
    const auto target = procfs.ReadLink(pid, "fd/" + std::to_string(fd));
    if (!target || !target->starts_with(kSocket)) continue;
    uint64_t inode = 0;
    std::from_chars(target->data() + kSocket.size(), target->data() + target->size(), inode);
    sockets.insert(inode);
  }
  return sockets;
}

// "Num RefCount Protocol Flags Type St Inode Path"
size_t CountUnixListeners(const std::string& table, const std::set<uint64_t>& sockets) {
  std::istringstream lines(table);
  size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, references, protocol, type, state;
    unsigned flags = 0;
    uint64_t inode = 0;
    words >> number >> references >> protocol >> std::hex >> flags >> type >> state >> std::dec >>
        inode;
    if (words && (flags & kUnixListening) != 0 && sockets.contains(inode)) ++count;
  }
  return count;
}

}  // namespace

std::set<uint16_t> ParseListeningPorts(std::string_view table, const std::set<uint64_t>& sockets) {
  std::istringstream lines{std::string(table)};
  std::set<uint16_t> ports;
  for (std::string line; std::getline(lines, line);) {
    // "sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …"
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; words.size() < 10 && stream >> word;) words.push_back(word);
    if (words.size() < 10 || words[3] != kListening) continue;
    uint64_t inode = 0;
    unsigned port = 0;
    std::from_chars(words[9].data(), words[9].data() + words[9].size(), inode);
    const size_t colon = words[1].rfind(':') + 1;
    std::from_chars(words[1].data() + colon, words[1].data() + words[1].size(), port, 16);
    if (sockets.contains(inode)) ports.insert(static_cast<uint16_t>(port));
  }
  return ports;
}

Result<Listeners> FindListeners(const tracer::ProcFs& procfs, pid_t pid) {
  MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Tree(pid));
  std::set<uint64_t> sockets;
  for (const pid_t process : pids) sockets.merge(SocketsOf(procfs, process));
  Listeners listeners;
  for (const char* table : {"net/tcp", "net/tcp6"}) {
    const auto text = procfs.ReadText(pid, table);
    if (text) listeners.tcp_ports.merge(ParseListeningPorts(*text, sockets));
  }
  if (const auto text = procfs.ReadText(pid, "net/unix")) {
    listeners.unix_sockets = CountUnixListeners(*text, sockets);
  }
  return listeners;
}

}  // namespace mcr::record
