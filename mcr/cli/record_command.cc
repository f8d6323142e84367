#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/cli/command.h"
#include "mcr/record/announced_ports.h"
#include "mcr/record/capture.h"
#include "mcr/record/listeners.h"
#include "mcr/record/recorder.h"
#include "mcr/record/recording.pb.h"
#include "mcr/record/segment.h"
#include "tracer/attachable.h"
#include "tracer/sys/procfs.h"

namespace mcr::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMillisecondsPerSecond = 1000;

struct RecordArguments {
  pid_t pid = 0;
  std::string output;
  double seconds = 0;  // 0: until interrupted
  std::vector<std::string> masks, announced_ports;
};

// Readable once somebody wants mcr to end.
Result<OwnedFd> Interruptions() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  OwnedFd fd(signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd.valid()) return FailErrno("cannot wait for signals");
  return fd;
}

std::string Ports(const record::Listeners& listeners) {
  std::string text;
  for (const uint16_t port : listeners.tcp_ports) {
    text += (text.empty() ? "port " : ", ") + std::to_string(port);
  }
  return text;
}

Status Watch(record::Capture& capture, const OwnedFd& interruptions, double seconds,
             record::Recorder& recorder) {
  const Clock::time_point began = Clock::now();
  const auto add = [&](std::span<const std::byte> packet) {
    const auto at = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    const auto segment = record::ParsePacket(packet);
    if (segment) recorder.Add(*segment, static_cast<uint64_t>(at.count()));
  };
  while (true) {
    pollfd ready[] = {{capture.fd(), POLLIN, 0}, {interruptions.get(), POLLIN, 0}};
    int timeout = -1;
    if (seconds > 0) {
      const std::chrono::duration<double> elapsed = Clock::now() - began;
      timeout = static_cast<int>((seconds - elapsed.count()) * kMillisecondsPerSecond);
      if (timeout <= 0) return capture.Read(add);
    }
    if (poll(ready, std::size(ready), timeout) < 0 && errno != EINTR) return FailErrno("poll");
    MCR_TRY(capture.Read(add));
    if (ready[1].revents != 0) return {};
  }
}

Status Write(const record::Recording& recording, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  recording.SerializeToOstream(&file);
  file.close();
  if (!file) return FailErrno("cannot write the recording", path);
  return {};
}

Result<record::Recording> Record(const RecordArguments& arguments) {
  MCR_ASSIGN(auto announced, record::AnnouncedPorts::Create(arguments.announced_ports));
  MCR_TRY(tracer::CheckAttachable(arguments.pid));
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const record::Listeners listeners, record::FindListeners(procfs, arguments.pid));
  if (listeners.tcp_ports.empty()) {
    return Fail("the server listens on no TCP port", "PID " + std::to_string(arguments.pid),
                "only TCP connections are recorded");
  }
  MCR_ASSIGN(const std::string program, procfs.ReadLink(arguments.pid, "exe"));
  MCR_ASSIGN(const OwnedFd interruptions, Interruptions());
  MCR_ASSIGN(record::Capture capture, record::Capture::Begin(procfs, arguments.pid));
  std::fprintf(stderr, "recording %s; end with Ctrl-C\n", Ports(listeners).c_str());
  if (listeners.unix_sockets > 0) {
    PrintError("record", "what comes over unix sockets is not recorded");
  }

  record::Recorder recorder(listeners.tcp_ports, std::move(announced));
  MCR_TRY(Watch(capture, interruptions, arguments.seconds, recorder));
  if (const auto dropped = capture.Dropped(); dropped && *dropped > 0) {
    PrintError("record",
               std::to_string(*dropped) + " packets were missed: the machine is too busy");
  }
  std::vector<std::string> remarks;
  record::Recording recording = recorder.Finish(remarks);
  for (const std::string& remark : remarks) PrintError("record", remark);
  recording.set_program(program);
  *recording.mutable_mask() = {arguments.masks.begin(), arguments.masks.end()};
  *recording.mutable_announced_port() = {arguments.announced_ports.begin(),
                                         arguments.announced_ports.end()};
  return recording;
}

int Run(const RecordArguments& arguments) {
  const auto recording = Record(arguments);
  if (!recording) {
    PrintError("record", recording.error().Line());
    return kRefused;
  }
  if (const Status written = Write(*recording, arguments.output); !written) {
    PrintError("record", written.error().Line());
    return kUsage;
  }
  std::printf("%d connections in %s\n", recording->connections_size(), arguments.output.c_str());
  return 0;
}

}  // namespace

void AddRecord(CLI::App& app, int& status) {
  auto arguments = std::make_shared<RecordArguments>();
  CLI::App* command = app.add_subcommand(
      "record", "What clients say to a server over TCP and what it answers, for replay");
  command->add_option("--pid", arguments->pid, "the server's main process")
      ->required()
      ->type_name("PID");
  command->add_option("-o,--output", arguments->output, "where to write the recording")
      ->required()
      ->type_name("FILE");
  command->add_option("--seconds", arguments->seconds, "how long; default: until Ctrl-C or SIGTERM")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--mask", arguments->masks,
                   "a POSIX extended regular expression: what it matches of an answer is not "
                   "compared at replay; may repeat")
      ->type_name("REGEX");
  command
      ->add_option("--announced-port", arguments->announced_ports,
                   "the same: an answer that names the port of a further connection, as one group "
                   "or as two, its bytes (FTP: '^227 .*,([0-9]+),([0-9]+)'); may repeat")
      ->type_name("REGEX");
  command->footer(
      "Neither server nor clients are touched: the packets are copied by the kernel. Connections\n"
      "that were open before, TLS and ssh cannot be replayed; they are counted and left out.");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
