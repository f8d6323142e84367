#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcr/cli/command.h"
#include "mcr/record/recording.pb.h"
#include "mcr/record/replay.h"

namespace mcr::cli {
namespace {

constexpr int kDiffers = 1;
constexpr size_t kMostShown = 5;  // connections

struct ReplayArguments {
  std::string recording;
  std::vector<std::pair<uint16_t, uint16_t>> ports;
  std::string during;
  int timeout_ms = 10000;
  record::ReplayOptions options;
};

// Says how the command ended; true if it succeeded.
bool RunCommand(const std::string& command) {
  const int status = std::system(command.c_str());
  if (status == 0) return true;
  PrintError("replay", "the command failed: " + command);
  return false;
}

int Print(const record::Recording& recording, const record::ReplayResult& result) {
  for (size_t i = 0; i < result.mismatches.size() && i < kMostShown; ++i) {
    const record::Mismatch& mismatch = result.mismatches[i];
    std::printf("connection %zu to port %u: %s", mismatch.connection + 1,
                recording.connections(static_cast<int>(mismatch.connection)).port(),
                mismatch.text.c_str());
  }
  std::printf("%zu connections, %lu bytes sent, %lu received: %zu answered differently\n",
              result.connections, result.sent, result.received, result.mismatches.size());
  return result.mismatches.empty() ? 0 : kDiffers;
}

int Run(ReplayArguments& arguments) {
  const auto recording = record::LoadRecording(arguments.recording);
  if (!recording) {
    PrintError("replay", recording.error().Line());
    return kUsage;
  }
  record::ReplayOptions& options = arguments.options;
  options.ports = {arguments.ports.begin(), arguments.ports.end()};
  options.timeout = std::chrono::milliseconds(arguments.timeout_ms);
  bool succeeded = true;
  if (!arguments.during.empty()) {
    options.during = [&] { succeeded = RunCommand(arguments.during); };
  }
  const auto result = record::Replay(*recording, options);
  if (!result) {
    PrintError("replay", result.error().Line());
    return kUsage;
  }
  const int status = Print(*recording, *result);
  return succeeded ? status : kDiffers;
}

}  // namespace

void AddReplay(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ReplayArguments>();
  record::ReplayOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "replay", "Says to a server what was recorded, and compares what it answers");
  command->add_option("file", arguments->recording, "what `mcr record` wrote")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--during", arguments->during,
                   "run this in the middle, for example an update; connections stay open, and "
                   "clients go on when it has ended")
      ->type_name("CMD");
  command->add_option("--host", options.host, "the server's numeric address")
      ->capture_default_str();
  command
      ->add_option("--port", arguments->ports, "a recorded port and the one to use now; may repeat")
      ->type_name("OLD NEW");
  command
      ->add_option("--speed", options.speed,
                   "of the recorded time; 0: as fast as the server answers")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--timeout", arguments->timeout_ms, "how long to wait for an answer")
      ->type_name("MS")
      ->check(CLI::Range(1, 600000))
      ->capture_default_str();
  command
      ->add_option("--mask", options.masks,
                   "a POSIX extended regular expression: what it matches is not compared, beside "
                   "those of the recording; may repeat")
      ->type_name("REGEX");
  command->footer(
      "Exit status: 0 the answers are those that were recorded; 1 they are not, or CMD failed; 2 "
      "usage.");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
