#include "tracer/rehearsal/start_record.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

// Calls `use` with each line after the heading.
template <class Use>
void ForEachRow(std::string_view table, Use use) {
  size_t begin = table.find('\n');
  while (begin != std::string_view::npos && ++begin < table.size()) {
    const size_t end = table.find('\n', begin);
    use(table.substr(begin, end - begin));
    begin = end;
  }
}

// "0100007F" or "00000000000000000000000001000000": 32-bit words in the machine's byte order.
std::string AddressFromHex(std::string_view hex) {
  std::array<uint32_t, 4> words = {};
  const size_t count = hex.size() / 8;
  if (count != 1 && count != 4) return {};
  for (size_t i = 0; i < count; ++i) {
    words[i] =
        static_cast<uint32_t>(strtoul(std::string(hex.substr(i * 8, 8)).c_str(), nullptr, 16));
  }
  char text[INET6_ADDRSTRLEN];
  const int family = count == 1 ? AF_INET : AF_INET6;
  return inet_ntop(family, words.data(), text, sizeof text) == nullptr ? "" : text;
}

// Present in every network namespace as soon as its loopback device is up.
bool IsEverywhere(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address.starts_with("127.") ||
         address == "::" || address == "::1";
}

void SortUnique(std::vector<std::string>& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

std::vector<std::string> ReadAddresses(const ProcFs& proc, pid_t pid) {
  std::vector<std::string> addresses;
  for (const char* table : {"net/tcp", "net/tcp6", "net/udp", "net/udp6"}) {
    const auto text = proc.ReadText(pid, table);
    if (!text) continue;  // a kernel without IPv6
    for (std::string& address : ParseLocalAddresses(*text)) addresses.push_back(std::move(address));
  }
  SortUnique(addresses);
  return addresses;
}

// "/var/log/x (deleted)" is a file without a name: nothing would be opened in its place.
bool IsAppendedFile(const ProcFs& proc, pid_t pid, int fd, const std::string& path) {
  struct stat status;
  const std::string link = "fd/" + std::to_string(fd);
  if (!path.starts_with('/') || path.ends_with(" (deleted)")) return false;
  if (stat(proc.Path(pid, link).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const auto info = proc.ReadText(pid, "fdinfo/" + std::to_string(fd));
  const size_t at = info ? info->find("flags:") : std::string::npos;
  if (at == std::string::npos) return false;
  const long flags = strtol(info->c_str() + at + strlen("flags:"), nullptr, 8);
  return (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) != 0;
}

std::vector<std::string> ReadLogs(const ProcFs& proc, pid_t pid) {
  std::vector<std::string> logs;
  const auto descriptors = proc.Descriptors(pid);
  if (!descriptors) return logs;
  for (const int fd : *descriptors) {
    const auto path = proc.ReadLink(pid, "fd/" + std::to_string(fd));
    if (path && IsAppendedFile(proc, pid, fd, *path)) logs.push_back(*path);
  }
  SortUnique(logs);
  return logs;
}

// A server that locked itself into a directory after its start was not started there.
std::string RootAtStart(const std::string& root, const std::string& executable) {
  return executable.starts_with(root + "/") ? root : "/";
}

}  // namespace

std::vector<std::string> ParseLocalAddresses(std::string_view table) {
  std::vector<std::string> addresses;
  ForEachRow(table, [&](std::string_view row) {
    // "   0: 0100007F:1F90 00000000:0000 0A ...": the second field, up to its colon.
    const size_t number_end = row.find(": ");
    if (number_end == std::string_view::npos) return;
    const std::string_view rest = row.substr(number_end + 2);
    std::string address = AddressFromHex(rest.substr(0, rest.find(':')));
    if (!IsEverywhere(address)) addresses.push_back(std::move(address));
  });
  return addresses;
}

std::vector<std::string> ParseSocketPaths(std::string_view table) {
  std::vector<std::string> paths;
  ForEachRow(table, [&](std::string_view row) {
    // "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x.sock"; no column before it
    // has a '/'.
    const size_t at = row.find(" /");
    if (at != std::string_view::npos) paths.emplace_back(row.substr(at + 1));
  });
  SortUnique(paths);
  return paths;
}

Result<StartRecord> ReadStartRecord(pid_t pid) {
  const ProcFs proc;
  StartRecord record{.pid = pid};
  MCR_ASSIGN(record.executable, proc.ReadLink(pid, "exe"));
  constexpr std::string_view kDeleted = " (deleted)";
  if (record.executable.ends_with(kDeleted)) {
    record.executable.resize(record.executable.size() - kDeleted.size());
  }
  MCR_ASSIGN(record.arguments, proc.ReadArguments(pid));
  MCR_ASSIGN(record.environment, proc.ReadEnvironment(pid));
  MCR_ASSIGN(record.working_directory, proc.ReadLink(pid, "cwd"));
  MCR_ASSIGN(const std::string root, proc.ReadLink(pid, "root"));
  record.root = RootAtStart(root, record.executable);
  MCR_ASSIGN(const TaskStatus status, proc.ReadStatus(pid));
  record.uid = status.uids[0];
  record.gid = status.gids[0];
  record.groups = status.groups;
  record.umask = status.umask;
  MCR_ASSIGN(const std::vector<ResourceLimit> limits, proc.ReadLimits(pid));
  for (const ResourceLimit& limit : limits) {
    record.limits.push_back({limit.resource, {limit.soft, limit.hard}});
  }
  record.addresses = ReadAddresses(proc, pid);
  const auto sockets = proc.ReadText(pid, "net/unix");
  if (sockets) record.sockets = ParseSocketPaths(*sockets);
  // Whoever locked itself into a directory has bound them below it.
  for (size_t i = 0, count = record.sockets.size(); root != "/" && i < count; ++i) {
    record.sockets.push_back(root + record.sockets[i]);
  }
  record.logs = ReadLogs(proc, pid);
  return record;
}

}  // namespace mcr::tracer
