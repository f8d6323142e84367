#include "tracer/sys/procfs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tracer/sys/procfs_parse.h"

namespace mcr::tracer {
namespace {

class FakeProc : public testing::Test {
 protected:
  FakeProc() : root_(testing::TempDir() + "/proc") { std::filesystem::remove_all(root_); }

  void AddProcess(pid_t pid, pid_t parent) {
    std::string stat = std::to_string(pid) + " (p) S " + std::to_string(parent) + " 2 3";
    for (int field = 7; field <= 52; ++field) stat += " " + std::to_string(field);
    AddFile(pid, "stat", stat);
  }
  void AddFile(pid_t pid, const std::string& name, const std::string& text) {
    const std::filesystem::path path = root_ + "/" + std::to_string(pid) + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  std::string root_;
};

TEST_F(FakeProc, DescendantsComeParentsFirst) {
  AddProcess(10, 1);
  AddProcess(5, 10);  // PIDs wrapped around: a child with a smaller one
  AddProcess(3, 5);
  AddProcess(11, 10);
  AddProcess(12, 1);
  const auto found = ProcFs(root_).Descendants(10);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<pid_t>{5, 11, 3}));
}

TEST_F(FakeProc, ThreadsBeginWithTheMainThread) {
  AddFile(10, "task/9/stat", "");
  AddFile(10, "task/10/stat", "");
  AddFile(10, "task/11/stat", "");
  const auto threads = ProcFs(root_).Threads(10);
  ASSERT_TRUE(threads);
  EXPECT_EQ(*threads, (std::vector<pid_t>{10, 9, 11}));
}

TEST_F(FakeProc, AMissingProcessIsESRCH) {
  std::filesystem::create_directories(root_);
  const auto maps = ProcFs(root_).ReadMappings(77);
  ASSERT_FALSE(maps);
  EXPECT_EQ(maps.error().os_error, ESRCH);
  EXPECT_EQ(maps.error().Line(), "no such process: No such process, PID 77");
}

TEST(ProcFsTest, ReadsThisProcess) {
  const ProcFs proc;
  const auto maps = proc.ReadMappings(getpid());
  ASSERT_TRUE(maps) << maps.error().Line();
  const Mapping* code = FindMapping(*maps, Addr(reinterpret_cast<uint64_t>(&ParseMaps)));
  ASSERT_NE(code, nullptr);
  EXPECT_TRUE(code->executable);
  EXPECT_TRUE(proc.ReadStatus(getpid()));
  EXPECT_TRUE(proc.ReadStat(getpid()));
  EXPECT_TRUE(proc.OpenMappedFile(getpid(), *code));
  EXPECT_FALSE(*proc.IsKernelThread(getpid()));
}

}  // namespace
}  // namespace mcr::tracer
