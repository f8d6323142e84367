#include <google/protobuf/text_format.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/cli/command.h"
#include "mcr/profile/learn.h"
#include "mcr/profile/observer.h"
#include "mcr/profile/started_server.h"
#include "profiles/profile.h"

namespace mcr::cli {
namespace {

using std::chrono::milliseconds;

// Looks at a server at rest show what is there without work.
constexpr int kLooksAtRest = 5;
constexpr milliseconds kBetweenLooks{100};

struct ProfileArguments {
  pid_t pid = 0;
  std::string output;
  std::string workload;
  double seconds = 5;
  std::vector<std::string> debug_dirs;
  std::vector<std::string> command;
};

Status LookFor(profile::Observer& observer, int times, std::vector<profile::Look>& looks) {
  for (int i = 0; i < times; ++i) {
    MCR_ASSIGN(profile::Look look, observer.TakeLook());
    looks.push_back(std::move(look));
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

// At rest, under the workload until that ends or time is up, and at rest again.
Result<std::vector<profile::Look>> Observe(const ProfileArguments& arguments,
                                           profile::Observer& observer) {
  std::vector<profile::Look> looks;
  MCR_TRY(LookFor(observer, kLooksAtRest, looks));
  std::optional<tracer::Child> workload;
  if (!arguments.workload.empty()) {
    MCR_ASSIGN(tracer::Child started, profile::Start({"/bin/sh", "-c", arguments.workload}));
    workload.emplace(std::move(started));
  }
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(arguments.seconds);
  while (std::chrono::steady_clock::now() < until) {
    if (workload && workload->Wait(milliseconds(0))) break;
    MCR_TRY(LookFor(observer, 1, looks));
  }
  // All of it: it has a session of its own.
  if (workload && !workload->Wait(milliseconds(0))) kill(-workload->pid(), SIGTERM);
  workload.reset();
  MCR_TRY(LookFor(observer, kLooksAtRest, looks));
  return looks;
}

Result<profiles::Profile> LearnProfile(const ProfileArguments& arguments,
                                       const profiles::Learned& known) {
  std::optional<profile::StartedServer> started;
  if (!arguments.command.empty()) {
    MCR_ASSIGN(profile::StartedServer server, profile::StartedServer::Start(arguments.command));
    started.emplace(std::move(server));
  }
  const pid_t pid = started ? started->main() : arguments.pid;
  MCR_ASSIGN(profile::Observer observer, profile::Observer::Create(pid, arguments.debug_dirs));
  observer.Recheck({known.invariants().begin(), known.invariants().end()});
  MCR_ASSIGN(const std::vector<profile::Look> looks, Observe(arguments, observer));
  profiles::Profile learned;
  const std::string name = std::filesystem::path(observer.executable()).filename();
  learned.mutable_identity()->set_name(name);
  learned.mutable_identity()->add_executable(name + "*");
  *learned.mutable_learned() = profile::Learn(looks);
  for (const std::string& invariant : observer.Invariants()) {
    learned.mutable_learned()->add_invariants(invariant);
  }
  if (learned.learned().roles().empty()) {
    return Fail("no thread was seen to wait in a call of the program", observer.executable(),
                "let it be idle for part of the time, or look longer: --seconds");
  }
  return learned;
}

Status Write(const profiles::Profile& profile, const std::string& path) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(profile, &text);
  std::ofstream file(path);
  file << "# proto-file: profiles/profile.proto\n# proto-message: mcr.profiles.Profile\n\n" << text;
  file.close();
  if (!file) return FailErrno("cannot write the profile", path);
  return {};
}

Status LearnInto(const ProfileArguments& arguments) {
  std::optional<profiles::Profile> known;
  if (std::filesystem::exists(arguments.output)) {
    MCR_ASSIGN(profiles::Profile there, profiles::LoadProfile(arguments.output));
    known.emplace(std::move(there));
  }
  MCR_ASSIGN(profiles::Profile learned,
             LearnProfile(arguments, known ? known->learned() : profiles::Learned()));
  if (known) profile::KeepHandWritten(*known, learned);
  MCR_TRY(Write(learned, arguments.output));
  for (const profiles::Role& role : learned.learned().roles()) {
    std::printf("%-30s %s, %d quiescent points\n", role.name().c_str(),
                role.persistence() == profiles::Role::PERSISTENT ? "persistent" : "volatile",
                role.quiescent_points_size());
  }
  std::printf("%d invariants of its variables\n", learned.learned().invariants_size());
  return {};
}

int Run(const ProfileArguments& arguments) {
  if ((arguments.pid == 0) == arguments.command.empty()) {
    PrintError("usage",
               "name a running server with --pid, or a command that starts one; see mcr "
               "profile --help");
    return kUsage;
  }
  const Status learned = LearnInto(arguments);
  if (learned) return 0;
  PrintError("profile", learned.error().Line());
  return kRefused;
}

}  // namespace

void AddProfile(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ProfileArguments>();
  CLI::App* command = app.add_subcommand(
      "profile", "Learn where a server's threads wait, from one that runs or that is started");
  command
      ->add_option("-o,--output", arguments->output,
                   "the profile; what is hand-written in one that is there is kept")
      ->required()
      ->type_name("FILE");
  command->add_option("--pid", arguments->pid, "the main process of a running server")
      ->type_name("PID");
  command
      ->add_option("--workload", arguments->workload,
                   "a shell command that keeps the server busy meanwhile")
      ->type_name("CMD");
  command->add_option("--seconds", arguments->seconds, "how long to look, at most")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--debug-dir", arguments->debug_dirs, "where else to look for debug files")
      ->type_name("DIR");
  command->add_option("command", arguments->command, "starts the server, which is ended afterwards")
      ->type_name("CMD...");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
