#include "mcr/cli/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "mcr/base/owned_fd.h"

namespace mcr::cli {
namespace {

using update::Stage;

class ProgressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends;
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_ = OwnedFd(ends[0]);
    write_ = OwnedFd(ends[1]);
  }
  // What was written since the last call.
  std::string Seen() {
    std::string text(4096, '\0');
    const ssize_t size = read(read_.get(), text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }

  OwnedFd read_, write_;
};

TEST_F(ProgressTest, WithoutATerminalThereIsOneLineAtTheEndOfEachStage) {
  Progress progress(write_.get(), false);
  progress.Report(Stage::kInspect, "");
  EXPECT_EQ(Seen(), "");
  progress.Report(Stage::kInspect, "12.0 ms  found");
  EXPECT_EQ(Seen(), "inspect    12.0 ms  found\n");
}

TEST_F(ProgressTest, OnATerminalTheLineIsThereFromTheBeginningAndIsReplaced) {
  Progress progress(write_.get(), true);
  progress.Report(Stage::kRehearse, "");
  progress.Report(Stage::kRehearse, "12.0 ms  idle");
  const std::string seen = Seen();
  EXPECT_TRUE(seen.starts_with("\r\033[Krehearse      0.0 s")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\033[Krehearse   12.0 ms  idle\n")) << seen;
}

TEST_F(ProgressTest, OnProbationThereIsToBeSeenWhatCameBefore) {
  Progress progress(write_.get(), false);
  progress.Report(Stage::kCommit, "2.0 ms  runs");
  EXPECT_EQ(Seen(), "");
  progress.Report(Stage::kProbation, "");
  EXPECT_EQ(Seen(), "commit     2.0 ms  runs\n");
}

TEST_F(ProgressTest, NothingIsWrittenWhileTheServerIsStopped) {
  {
    Progress progress(write_.get(), true);
    progress.Report(Stage::kQuiesce, "");
    progress.Report(Stage::kQuiesce, "1.0 ms  stopped");
    progress.Report(Stage::kMerge, "");
    progress.Report(Stage::kMerge, "2.0 ms  merged");
    EXPECT_EQ(Seen(), "");
  }
  EXPECT_EQ(Seen(), "quiesce    1.0 ms  stopped\nmerge      2.0 ms  merged\n");
}

TEST_F(ProgressTest, AStageThatFailsLeavesNoHalfLine) {
  {
    Progress progress(write_.get(), true);
    progress.Report(Stage::kInspect, "");
  }
  EXPECT_TRUE(Seen().ends_with("\r\033[K"));
}

TEST_F(ProgressTest, AReaderThatIsGoneDoesNotMatter) {
  signal(SIGPIPE, SIG_IGN);
  read_.Reset();
  Progress progress(write_.get(), false);
  progress.Report(Stage::kInspect, "12.0 ms  found");
}

}  // namespace
}  // namespace mcr::cli
