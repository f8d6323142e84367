#include "mutator/merge/left_behind.h"

#include <fmt/format.h>

#include <algorithm>

#include "mutator/graph/memory_scan.h"

namespace mcr::mutator {
namespace {

constexpr size_t kMost = 20;  // lines; more would not help anybody

}  // namespace

Result<std::vector<std::string>> FindLeftBehind(const checkpoint::ProcessImage& image,
                                                std::span<const Range<Addr>> old, bool skip_shared,
                                                const ScanMemo* memo) {
  std::vector<std::string> found;
  const auto is_old = [&](Addr at) {
    return std::ranges::any_of(old, [&](const Range<Addr>& range) { return range.Contains(at); });
  };
  const auto report = [&](const std::string& where) {
    if (found.size() < kMost) {
      found.push_back(
          fmt::format("process {}: {} points into the old version", image.pid(), where));
    }
  };
  for (const checkpoint::ThreadImage& thread : image.threads()) {
    if (is_old(Addr(thread.registers.rip))) {
      report(fmt::format("thread {}", thread.tid));
    }
  }
  for (const checkpoint::EpollEntry& entry : image.epoll_entries()) {
    if (is_old(Addr(entry.data))) {
      report(fmt::format("the epoll entry of descriptor {}", entry.fd));
    }
  }
  for (const checkpoint::Timer& timer : image.timers()) {
    if (is_old(Addr(timer.value))) report(fmt::format("timer {}", timer.id));
  }
  const PointerGuard guard = ReadPointerGuard(image);
  for (const Mapping& mapping : ScannedOutside(image, old)) {
    if (mapping.shared && skip_shared) continue;
    MCR_ASSIGN(const auto pointers, ScanMapping(image, mapping, old, guard, memo));
    for (const LikelyPointer& pointer : pointers) {
      // One past the end is as well the start of what follows.
      if (!is_old(Addr(pointer.target))) continue;
      report(fmt::format("the word at {}", Hex(pointer.at)));
    }
  }
  return found;
}

}  // namespace mcr::mutator
