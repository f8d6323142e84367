#include "mcr/cli/progress.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <thread>

namespace mcr::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr char kEraseLine[] = "\r\033[K";

// Whether mcr can afford to wait for a terminal: a server that writes to the same one must not be
// waited for while it is stopped.
bool IsServing(update::Stage stage) {
  return stage == update::Stage::kInspect || stage == update::Stage::kRehearse ||
         stage == update::Stage::kProbation;
}

// A few lines, without waiting for whoever reads them (pipe(7), PIPE_BUF).
bool TakesLines(int fd) {
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0)
      return;  // whoever read it has gone: the update matters, its progress does not
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

// Counts on a thread of its own. The thread takes no memory and no lock of the C library, since mcr
// forks meanwhile.
class Ticker {
 public:
  Ticker(int fd, std::string_view stage) : fd_(fd), stage_(stage), thread_([this] { Run(); }) {}
  ~Ticker() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    thread_.join();
    WriteAll(fd_, kEraseLine);
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    do {
      Paint();
    } while (!wake_.wait_for(lock, kTick, [this] { return stopped_; }));
  }

  void Paint() const {
    char line[64];
    const std::chrono::duration<double> elapsed = Clock::now() - began_;
    const int size = std::snprintf(line, sizeof line, "%s%-10.*s %6.1f s", kEraseLine,
                                   static_cast<int>(stage_.size()), stage_.data(), elapsed.count());
    WriteAll(fd_, std::string_view(line, static_cast<size_t>(size)));
  }

  const int fd_;
  const std::string_view stage_;
  const Clock::time_point began_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses all of the above
};

Progress::Progress(int fd, bool is_terminal) : fd_(fd), is_terminal_(is_terminal) {}

Progress::~Progress() {
  ticker_.reset();
  Flush();
}

void Progress::Report(update::Stage stage, const std::string& text) {
  const std::string_view name = Name(stage);
  if (text.empty()) {
    ticker_.reset();  // of a stage that did not come to its end
    if (!IsServing(stage)) return;
    // On probation the server's signals wait for us.
    if (TakesLines(fd_)) Flush();
    if (is_terminal_) ticker_ = std::make_unique<Ticker>(fd_, name);
    return;
  }
  ticker_.reset();
  std::string line(name);
  line.resize(10, ' ');
  held_ += line + " " + text + "\n";
  if (IsServing(stage)) Flush();
}

void Progress::Flush() {
  WriteAll(fd_, held_);
  held_.clear();
}

}  // namespace mcr::cli
