#include "tracer/sys/procfs_parse.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <optional>

namespace mcr::tracer {
namespace {

constexpr std::string_view kDeletedSuffix = " (deleted)";

// Takes the next word off the front of `text`; words are separated by blanks or tabs.
std::string_view TakeWord(std::string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

template <class T>
std::optional<T> Number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Fields of a line that stop being numbers make the whole parse fail once, at the end.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  template <class T>
  T Next(int base = 10) {
    const std::optional<T> value = Number<T>(TakeWord(rest_), base);
    ok_ = ok_ && value.has_value();
    return value.value_or(T{});
  }
  Addr NextAddress() { return Addr(Next<uint64_t>()); }
  void Skip(int count) {
    for (int i = 0; i < count; ++i) TakeWord(rest_);
  }
  bool AtEnd() const { return rest_.find_first_not_of(" \t") == std::string_view::npos; }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string_view TrimLeft(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

// The kernel writes a newline in a path as \012.
std::string UnescapePath(std::string_view text) {
  std::string path;
  while (!text.empty()) {
    if (text.starts_with("\\012")) {
      path += '\n';
      text.remove_prefix(4);
    } else {
      path += text.front();
      text.remove_prefix(1);
    }
  }
  return path;
}

template <class T>
std::optional<std::pair<T, T>> SplitNumbers(std::string_view text, char separator, int base) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<T> first = Number<T>(text.substr(0, at), base);
  const std::optional<T> second = Number<T>(text.substr(at + 1), base);
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

std::optional<Mapping> ParseMapsLine(std::string_view line) {
  const auto range = SplitNumbers<uint64_t>(TakeWord(line), '-', 16);
  const std::string_view access = TakeWord(line);
  const std::optional<uint64_t> offset = Number<uint64_t>(TakeWord(line), 16);
  const auto device = SplitNumbers<uint32_t>(TakeWord(line), ':', 16);
  const std::optional<uint64_t> inode = Number<uint64_t>(TakeWord(line));
  if (!range || access.size() != 4 || !offset || !device || !inode) return std::nullopt;
  const auto addresses = Range<Addr>::FromTo(Addr(range->first), Addr(range->second));
  if (!addresses) return std::nullopt;

  Mapping mapping;
  mapping.range = *addresses;
  mapping.readable = access[0] == 'r';
  mapping.writable = access[1] == 'w';
  mapping.executable = access[2] == 'x';
  mapping.shared = access[3] == 's';
  mapping.file_offset = *offset;
  mapping.device = makedev(device->first, device->second);
  mapping.inode = *inode;
  std::string_view path = TrimLeft(line);
  if (mapping.IsFile() && path.ends_with(kDeletedSuffix)) {
    mapping.deleted = true;
    path.remove_suffix(kDeletedSuffix.size());
  }
  mapping.path = UnescapePath(path);
  return mapping;
}

template <class T, size_t N>
bool ParseArray(std::string_view text, std::array<T, N>& into) {
  Fields fields(text);
  for (T& value : into) value = fields.Next<T>();
  return fields.ok();
}

template <class T>
bool ParseList(std::string_view text, std::vector<T>& into) {
  Fields fields(text);
  while (!fields.AtEnd()) into.push_back(fields.Next<T>());
  return fields.ok();
}

template <class T>
bool ParseNumber(std::string_view text, T& into, int base = 10) {
  const std::optional<T> value = Number<T>(TakeWord(text), base);
  into = value.value_or(T{});
  return value.has_value();
}

bool ParseStatusLine(std::string_view key, std::string_view value, TaskStatus& status) {
  if (key == "Name") return (status.name = value, true);
  if (key == "State") return !value.empty() && (status.state = value.front(), true);
  if (key == "Tgid") return ParseNumber(value, status.tgid);
  if (key == "PPid") return ParseNumber(value, status.parent);
  if (key == "TracerPid") return ParseNumber(value, status.tracer);
  if (key == "Umask") return ParseNumber(value, status.umask, 8);
  if (key == "Uid") return ParseArray(value, status.uids);
  if (key == "Gid") return ParseArray(value, status.gids);
  if (key == "Groups") return ParseList(value, status.groups);
  if (key == "NSpid") return ParseList(value, status.namespace_pids);
  if (key == "SigPnd") return ParseNumber(value, status.pending_signals, 16);
  if (key == "ShdPnd") return ParseNumber(value, status.shared_pending_signals, 16);
  if (key == "SigBlk") return ParseNumber(value, status.blocked_signals, 16);
  if (key == "FDSize") return ParseNumber(value, status.descriptor_slots);
  if (key == "Seccomp") return ParseNumber(value, status.seccomp, 10);
  if (key == "SigIgn") return ParseNumber(value, status.ignored_signals, 16);
  if (key == "SigCgt") return ParseNumber(value, status.caught_signals, 16);
  return true;
}

struct LimitName {
  std::string_view name;
  int resource;
};

constexpr LimitName kLimitNames[] = {
    {"Max cpu time", RLIMIT_CPU},
    {"Max file size", RLIMIT_FSIZE},
    {"Max data size", RLIMIT_DATA},
    {"Max stack size", RLIMIT_STACK},
    {"Max core file size", RLIMIT_CORE},
    {"Max resident set", RLIMIT_RSS},
    {"Max processes", RLIMIT_NPROC},
    {"Max open files", RLIMIT_NOFILE},
    {"Max locked memory", RLIMIT_MEMLOCK},
    {"Max address space", RLIMIT_AS},
    {"Max file locks", RLIMIT_LOCKS},
    {"Max pending signals", RLIMIT_SIGPENDING},
    {"Max msgqueue size", RLIMIT_MSGQUEUE},
    {"Max nice priority", RLIMIT_NICE},
    {"Max realtime priority", RLIMIT_RTPRIO},
    {"Max realtime timeout", RLIMIT_RTTIME},
};

std::optional<uint64_t> LimitValue(std::string_view word) {
  if (word == "unlimited") return RLIM_INFINITY;
  return Number<uint64_t>(word);
}

}  // namespace

Result<Mappings> ParseMaps(std::string_view text) {
  Mappings mappings;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    std::optional<Mapping> mapping = ParseMapsLine(line);
    if (!mapping) return Fail("not a line of a maps file: \"" + std::string(line) + "\"");
    mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

Result<TaskStatus> ParseStatus(std::string_view text) {
  TaskStatus status;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t colon = std::min(line.find(':'), line.size());
    const std::string_view value = TrimLeft(line.substr(std::min(colon + 1, line.size())));
    if (!ParseStatusLine(line.substr(0, colon), value, status)) {
      return Fail("not a line of a status file: \"" + std::string(line) + "\"");
    }
  }
  if (status.tgid == 0) return Fail("a status file without Tgid");
  return status;
}

Result<TaskStat> ParseStat(std::string_view text) {
  // The name may hold blanks and parentheses; the last one ends it.
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return Fail("a stat file without a name in parentheses");
  }
  TaskStat stat;
  stat.name = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 1);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  const std::string_view state = TakeWord(rest);
  if (state.size() != 1) return Fail("a stat file without a state");
  stat.state = state.front();

  Fields fields(rest);  // from the fourth field on, as proc_pid_stat(5) counts
  stat.parent = fields.Next<pid_t>();
  stat.process_group = fields.Next<pid_t>();
  stat.session = fields.Next<pid_t>();
  fields.Skip(2);
  stat.flags = fields.Next<uint64_t>();
  fields.Skip(12);
  stat.start_time = fields.Next<uint64_t>();
  fields.Skip(3);
  stat.start_code = fields.NextAddress();
  stat.end_code = fields.NextAddress();
  stat.start_stack = fields.NextAddress();
  fields.Skip(16);
  stat.start_data = fields.NextAddress();
  stat.end_data = fields.NextAddress();
  stat.start_brk = fields.NextAddress();
  stat.arg_start = fields.NextAddress();
  stat.arg_end = fields.NextAddress();
  stat.env_start = fields.NextAddress();
  stat.env_end = fields.NextAddress();
  if (!fields.ok()) return Fail("a stat file with missing fields");
  return stat;
}

Result<SystemCallState> ParseSystemCall(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  SystemCallState state;
  if (text == "running") {
    state.running = true;
    return state;
  }
  const auto bad = [&] { return Fail("not a syscall file: \"" + std::string(text) + "\""); };
  std::string_view rest = text;
  const std::optional<long> number = Number<long>(TakeWord(rest));
  if (!number) return bad();
  state.number = *number;
  bool ok = true;
  const auto hex = [&] {
    std::string_view word = TakeWord(rest);
    if (word.starts_with("0x")) word.remove_prefix(2);
    const std::optional<uint64_t> value = Number<uint64_t>(word, 16);
    ok = ok && value.has_value();
    return value.value_or(0);
  };
  if (state.number >= 0) {
    for (uint64_t& argument : state.arguments) argument = hex();
  }
  state.stack_pointer = Addr(hex());
  state.instruction = Addr(hex());
  if (!ok) return bad();
  return state;
}

Result<std::vector<ResourceLimit>> ParseLimits(std::string_view text) {
  std::vector<ResourceLimit> limits;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    for (const LimitName& known : kLimitNames) {
      if (!line.starts_with(known.name)) continue;
      line.remove_prefix(known.name.size());
      const std::optional<uint64_t> soft = LimitValue(TakeWord(line));
      const std::optional<uint64_t> hard = LimitValue(TakeWord(line));
      if (!soft || !hard) return Fail("a limits file with a bad " + std::string(known.name));
      limits.push_back({known.resource, *soft, *hard});
      break;
    }
  }
  return limits;
}

std::vector<std::string> SplitAtNuls(std::string_view text) {
  std::vector<std::string> strings;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    strings.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return strings;
}

}  // namespace mcr::tracer
