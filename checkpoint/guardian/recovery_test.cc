#include "checkpoint/guardian/recovery.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "checkpoint/guardian/undo_directory.h"
#include "mcr/base/owned_fd.h"
#include "tracer/sys/background.h"

namespace mcr::checkpoint {
namespace {

using std::chrono::milliseconds;

constexpr char kLog[] = "undo-1";

class RecoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root for a directory below /run";
    directory_ = std::make_unique<UndoDirectory>(UndoDirectory::Open(path_).value());
    ASSERT_TRUE(directory_->Create(kLog));
  }

  void TearDown() override {
    if (child_ > 0) waitpid(child_, nullptr, 0);
    if (directory_ == nullptr) return;
    directory_->Remove(kLog);
    directory_.reset();
    umount(path_.c_str());
    rmdir(path_.c_str());
  }

  // As somebody who is dying: returns when the lock is held.
  void HoldLockFor(milliseconds time) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const OwnedFd held(ends[0]);
    OwnedFd holds(ends[1]);
    child_ = fork();
    if (child_ == 0) {
      const OwnedFd lock = directory_->Lock(kLog);
      holds.Reset();
      std::this_thread::sleep_for(time);
      _exit(0);
    }
    holds.Reset();
    char byte;
    ASSERT_EQ(read(held.get(), &byte, 1), 0);
  }

  const std::string path_ = "/run/mcr-recovery-test-" + std::to_string(getpid());
  std::unique_ptr<UndoDirectory> directory_;
  pid_t child_ = 0;
};

TEST_F(RecoveryTest, WhatWasLeftBehindIsRemoved) {
  EXPECT_EQ(RecoverLeftBehind(*directory_, {}).size(), 1u);
  EXPECT_TRUE(directory_->Names().empty());
}

TEST_F(RecoveryTest, WhoIsDyingIsWaitedFor) {
  HoldLockFor(milliseconds(200));
  EXPECT_EQ(RecoverLeftBehind(*directory_, milliseconds(5000)).size(), 1u);
  EXPECT_TRUE(directory_->Names().empty());
}

TEST_F(RecoveryTest, WhoIsAtWorkIsLeftAlone) {
  HoldLockFor(milliseconds(1000));
  EXPECT_TRUE(RecoverLeftBehind(*directory_, {}).empty());
  const std::vector<std::string> lines = RecoverLeftBehind(*directory_, milliseconds(20));
  EXPECT_EQ(lines, std::vector<std::string>{"an update is still at work: undo-1"});
  EXPECT_EQ(directory_->Names(), std::vector<std::string>{kLog});
}

// Its main thread ends, and one that is in the background goes on.
[[noreturn]] void EndButForABackgroundThread(int told) {
  std::thread([told] {
    tracer::Background background;
    background.Enter();
    const pid_t self = gettid();
    if (write(told, &self, sizeof self) != sizeof self) _exit(1);
    while (true) pause();
  }).detach();
  syscall(SYS_exit, 0);
  _exit(1);
}

TEST(HurryWorkerTest, WhatIsDyingIsNotLeftInTheBackground) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t worker = fork();
  if (worker == 0) EndButForABackgroundThread(ends[1]);
  pid_t thread = 0;
  ASSERT_EQ(read(ends[0], &thread, sizeof thread), static_cast<ssize_t>(sizeof thread));
  EXPECT_EQ(sched_getscheduler(thread), SCHED_IDLE);
  auto log = UndoLog::CreateAnonymous().value();
  ASSERT_TRUE(log.Append(UndoKind::kWorker, worker));
  ASSERT_TRUE(log.Append(UndoKind::kReleased));
  for (int i = 0; i < 2000 && sched_getscheduler(thread) != SCHED_OTHER; ++i) {
    HurryWorker(log);
    usleep(1000);  // until the main thread has ended
  }
  EXPECT_EQ(sched_getscheduler(thread), SCHED_OTHER);
  kill(worker, SIGKILL);
  waitpid(worker, nullptr, 0);
  for (const int end : ends) close(end);
}

}  // namespace
}  // namespace mcr::checkpoint
