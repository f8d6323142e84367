#include "mcr/update/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mcr::update {
namespace {

Report Updated() {
  Report report;
  report.outcome = Outcome::kUpdated;
  ServerReport& server = report.servers.emplace_back();
  server.pid = 1;
  server.old_program = "/old";
  server.new_program = "/new";
  server.old_build_id = "0123456789abcdef";
  server.new_build_id = "fedcba9876543210";
  report.stages = {{Stage::kInspect, 0, 1500, false}, {Stage::kCommit, 1500, 20, true}};
  report.pause_began_ms = 1480;
  report.pause_ms = 40;
  server.processes = {{.pid = 1, .role = "master", .threads = 1, .descriptors = 3},
                      {.pid = 2, .role = "worker", .threads = 2, .descriptors = 4},
                      {.pid = 3, .role = "worker", .threads = 1, .descriptors = 5}};
  return report;
}

TEST(Summary, HasAtMostTenLines) {
  Report report = Updated();
  for (int i = 0; i < 50; ++i) {
    report.servers[0].processes.push_back({.pid = i, .role = "role" + std::to_string(i)});
    report.servers[0].conflicts.push_back("conflict");
  }
  EXPECT_LE(std::ranges::count(Summary(report), '\n'), 10);
}

TEST(Summary, SaysWhatRunsAndWhatItTook) {
  const std::string text = Summary(Updated());
  EXPECT_TRUE(text.starts_with("Updated")) << text;
  EXPECT_NE(text.find("paused for 40.0 ms of 1.5 s"), std::string::npos) << text;
  EXPECT_NE(text.find("3: master, 2 x worker; 4 threads, 12 descriptors"), std::string::npos);
  EXPECT_NE(text.find("/new  build fedcba987654"), std::string::npos) << text;
}

TEST(Summary, SeveralServersHaveALineEach) {
  Report report = Updated();
  report.servers.push_back(report.servers.front());
  report.servers.back().pid = 17;
  report.servers.back().new_program = "/other";
  const std::string text = Summary(report);
  EXPECT_TRUE(text.starts_with("Updated: the servers run")) << text;
  EXPECT_NE(text.find("PID 1 "), std::string::npos) << text;
  EXPECT_NE(text.find("/other  build 0123456789ab to fedcba987654"), std::string::npos) << text;
  EXPECT_NE(text.find("6: 2 x master, 4 x worker; 8 threads"), std::string::npos) << text;
  EXPECT_LE(std::ranges::count(text, '\n'), 10);
  report.servers.resize(9, report.servers.front());
  EXPECT_LE(std::ranges::count(Summary(report), '\n'), 10);
}

TEST(Summary, ARefusalDoesNotSpeakOfAPause) {
  Report report = Updated();
  report.outcome = Outcome::kRefused;
  report.pause_ms = report.pause_began_ms = 0;
  report.servers[0].processes.clear();
  const std::string text = Summary(report);
  EXPECT_NE(text.find("never paused"), std::string::npos);
  EXPECT_NE(text.find("not paused in 1.5 s"), std::string::npos) << text;
  EXPECT_EQ(text.find("pointers"), std::string::npos);
}

TEST(Summary, ARefusalBeforeAnythingWasReadIsOneLine) {
  EXPECT_EQ(std::ranges::count(Summary(Report()), '\n'), 1);
}

}  // namespace
}  // namespace mcr::update
