#include "checkpoint/graft/undo_log.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <vector>

namespace mcr::checkpoint {
namespace {

OwnedFd NewFile() { return OwnedFd(memfd_create("undo", MFD_CLOEXEC)); }

TEST(UndoLog, HoldsWhatWasAppendedInOrder) {
  UndoLog log = UndoLog::CreateAnonymous().value();
  const std::vector<int> numbers = {1, 2, 3};
  ASSERT_TRUE(log.AppendValues<int>(UndoKind::kDescriptors, 7, numbers));
  ASSERT_TRUE(log.Append(UndoKind::kCommitted));
  const auto records = log.Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].id, 7);
  EXPECT_EQ(records[0].As<int>(), numbers);
  EXPECT_TRUE(log.Has(UndoKind::kCommitted));
  EXPECT_FALSE(log.Has(UndoKind::kSettled));
}

TEST(UndoLog, GrowsBeyondItsFirstSize) {
  UndoLog log = UndoLog::CreateAnonymous().value();
  std::vector<int> numbers(3 << 20);
  std::iota(numbers.begin(), numbers.end(), 0);
  ASSERT_TRUE(log.AppendValues<int>(UndoKind::kMemory, 1, numbers));
  ASSERT_TRUE(log.AppendValues<int>(UndoKind::kMemory, 2, numbers));
  ASSERT_EQ(log.Records().size(), 2u);
  EXPECT_EQ(log.Records()[1].As<int>(), numbers);
}

TEST(UndoLog, OutlivesAWriterThatIsKilled) {
  const OwnedFd file = NewFile();
  const pid_t writer = fork();
  if (writer == 0) {
    UndoLog log = UndoLog::Create(OwnedFd(dup(file.get()))).value();
    (void)log.Append(UndoKind::kAllocating, 42);
    kill(getpid(), SIGKILL);
  }
  waitpid(writer, nullptr, 0);
  UndoLog log = UndoLog::Open(OwnedFd(dup(file.get()))).value();
  ASSERT_EQ(log.Records().size(), 1u);
  EXPECT_EQ(log.Records()[0].id, 42);
  ASSERT_TRUE(log.Append(UndoKind::kSettled));
  EXPECT_EQ(log.Records().size(), 2u);
}

TEST(UndoLog, TakesNoticeOfWhatAnotherHasWritten) {
  const OwnedFd file = NewFile();
  UndoLog reader = UndoLog::Create(OwnedFd(dup(file.get()))).value();
  UndoLog writer = UndoLog::Open(OwnedFd(dup(file.get()))).value();
  const std::vector<int> numbers(1 << 20);  // more than there was room for
  ASSERT_TRUE(writer.AppendValues<int>(UndoKind::kDescriptors, 1, numbers));
  ASSERT_TRUE(reader.Refresh());
  ASSERT_TRUE(reader.Append(UndoKind::kSettled));
  EXPECT_EQ(reader.Records().size(), 2u);
}

TEST(UndoLog, ForgetsWhatWasBeforeTheProcessesWereReleased) {
  UndoLog log = UndoLog::CreateAnonymous().value();
  ASSERT_TRUE(log.Append(UndoKind::kCgroup));
  ASSERT_TRUE(log.Append(UndoKind::kProcess, 1));
  ASSERT_TRUE(log.Append(UndoKind::kReleased));
  EXPECT_FALSE(log.Has(UndoKind::kProcess));
  EXPECT_TRUE(log.Has(UndoKind::kCgroup));
  ASSERT_TRUE(log.Append(UndoKind::kProcess, 2));
  ASSERT_TRUE(log.Refresh());
  ASSERT_EQ(log.Records().size(), 2u);
  EXPECT_EQ(log.Records()[1].id, 2);
}

TEST(UndoLog, ARecordThatIsNotCompleteDoesNotCount) {
  const OwnedFd file = NewFile();
  {
    UndoLog log = UndoLog::Create(OwnedFd(dup(file.get()))).value();
    ASSERT_TRUE(log.Append(UndoKind::kPause));
  }
  // Everything of the next one but its kind.
  const uint64_t words[] = {uint64_t{5} << 32, 8, 0x1234};
  ASSERT_EQ(pwrite(file.get(), words, sizeof(words), 32), static_cast<ssize_t>(sizeof(words)));
  EXPECT_EQ(UndoLog::Open(OwnedFd(dup(file.get()))).value().Records().size(), 1u);
}

TEST(UndoLog, AnotherFileIsRefused) {
  OwnedFd file = NewFile();
  const std::vector<char> nonsense(4096, 'x');
  ASSERT_EQ(write(file.get(), nonsense.data(), nonsense.size()), 4096);
  EXPECT_FALSE(UndoLog::Open(std::move(file)).has_value());
}

TEST(UndoLog, OneThatWasNotFinishedIsEmpty) {
  UndoLog log = UndoLog::Open(NewFile()).value();
  EXPECT_TRUE(log.Records().empty());
  EXPECT_TRUE(log.Append(UndoKind::kSettled));
  const OwnedFd file = NewFile();
  ASSERT_EQ(ftruncate(file.get(), 2 << 20), 0);  // it had space, and no more
  EXPECT_TRUE(UndoLog::Open(OwnedFd(dup(file.get()))).value().Records().empty());
}

}  // namespace
}  // namespace mcr::checkpoint
