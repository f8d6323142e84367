#include "mcr/update/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mcr::update {
namespace {

Report Updated() {
  Report report;
  report.outcome = Outcome::kUpdated;
  report.old_program = "/old";
  report.new_program = "/new";
  report.old_build_id = "0123456789abcdef";
  report.new_build_id = "fedcba9876543210";
  report.stages = {{Stage::kInspect, 0, 1500, false}, {Stage::kCommit, 1500, 20, true}};
  report.pause_began_ms = 1480;
  report.pause_ms = 40;
  report.processes = {{.pid = 1, .role = "master", .threads = 1, .descriptors = 3},
                      {.pid = 2, .role = "worker", .threads = 2, .descriptors = 4},
                      {.pid = 3, .role = "worker", .threads = 1, .descriptors = 5}};
  return report;
}

TEST(Summary, HasAtMostTenLines) {
  Report report = Updated();
  for (int i = 0; i < 50; ++i) {
    report.processes.push_back({.pid = i, .role = "role" + std::to_string(i)});
    report.conflicts.push_back("conflict");
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

TEST(Summary, ARefusalDoesNotSpeakOfAPause) {
  Report report = Updated();
  report.outcome = Outcome::kRefused;
  report.pause_ms = report.pause_began_ms = 0;
  report.processes.clear();
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
