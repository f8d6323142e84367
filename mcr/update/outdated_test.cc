#include "mcr/update/outdated.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "tests/targets/target_process.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

namespace fs = std::filesystem;
using mcr::testing::TargetProcess;

constexpr char kLibrary[] = "/lib/x86_64-linux-gnu/libc.so.6";

// A server whose program and C library are files of its own.
class OutdatedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(::testing::TempDir()) / "outdated";
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    program_ = directory_ / "server";
    library_ = directory_ / "libc.so.6";
    fs::copy_file("tests/targets/blocker", program_);
    fs::copy_file(kLibrary, library_);
    setenv("LD_LIBRARY_PATH", directory_.c_str(), 1);
    server_ = TargetProcess::StartFile(program_, {"poll"});
    unsetenv("LD_LIBRARY_PATH");
    ASSERT_EQ(server_->ReadLine(), "ready");
  }
  void TearDown() override { fs::remove_all(directory_); }

  // As a package manager does it.
  void Replace(const fs::path& file, const fs::path& by) {
    fs::copy_file(by, directory_ / "new");
    fs::rename(directory_ / "new", file);
  }

  std::vector<OutdatedModule> Find() { return FindOutdated(procfs_, server_->pid()).value(); }

  tracer::ProcFs procfs_;
  fs::path directory_, program_, library_;
  std::unique_ptr<TargetProcess> server_;
};

TEST_F(OutdatedTest, FindsNothingWhileTheFilesAreInPlace) { EXPECT_TRUE(Find().empty()); }

TEST_F(OutdatedTest, FindsAReplacedProgramWithBothBuilds) {
  Replace(program_, "tests/targets/callee");
  const auto found = Find();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, program_);
  EXPECT_TRUE(found[0].is_program);
  EXPECT_EQ(found[0].on_disk, program_);
  EXPECT_NE(found[0].running_build_id, found[0].disk_build_id);
  EXPECT_FALSE(found[0].disk_build_id.empty());
}

TEST_F(OutdatedTest, FindsAReplacedLibraryAfterTheProgram) {
  Replace(library_, "tests/targets/callee");
  Replace(program_, "tests/targets/callee");
  const auto found = Find();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].is_program);
  EXPECT_EQ(found[1].path, library_);
  EXPECT_FALSE(found[1].is_program);
}

TEST_F(OutdatedTest, FindsAFileThatWasDeleted) {
  fs::remove(library_);
  const auto found = Find();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].on_disk, "");
  EXPECT_FALSE(found[0].running_build_id.empty());
}

TEST_F(OutdatedTest, TheSameBuildInstalledAgainIsNotOutdated) {
  Replace(library_, kLibrary);
  Replace(program_, "tests/targets/blocker");
  EXPECT_TRUE(Find().empty());
}

TEST_F(OutdatedTest, ALibraryWhoseDirectoryIsGoneWasUnpackedByTheProgram) {
  const fs::path elsewhere = directory_.string() + "-program";
  fs::rename(program_, elsewhere);
  fs::remove_all(directory_);
  EXPECT_TRUE(Find().empty());
  fs::remove(elsewhere);
}

TEST_F(OutdatedTest, AProcessThatIsGoneIsAnError) {
  const pid_t pid = server_->pid();
  server_.reset();
  EXPECT_FALSE(FindOutdated(procfs_, pid));
}

}  // namespace
}  // namespace mcr::update
