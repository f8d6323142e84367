#include "mcr/update/new_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace mcr::update {
namespace {

constexpr uid_t kServer = 4711, kOther = 4712;

class NewFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
    std::string pattern = ::testing::TempDir() + "new-file-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Make(const std::string& name, uid_t uid, gid_t gid, mode_t mode) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << name;
    EXPECT_EQ(chown(path.c_str(), uid, gid), 0);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string directory_;
};

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(NewFileTest, TakesWhatOnlyRootOrTheServersUserCanWrite) {
  EXPECT_TRUE(NewFile::Open(Make("a", 0, 0, 0755), kServer));
  EXPECT_TRUE(NewFile::Open(Make("b", kServer, kServer, 0755), kServer));
  EXPECT_TRUE(NewFile::Open(Make("c", 0, 0, 0775), kServer));
}

TEST_F(NewFileTest, RefusesWhatOthersCanWrite) {
  for (const auto& path : {Make("a", kOther, 0, 0755), Make("b", 0, kOther, 0775),
                           Make("c", 0, 0, 0757), Make("d", kServer, 0, 0755)}) {
    const auto file = NewFile::Open(path, path.ends_with("d") ? 0 : kServer);
    ASSERT_FALSE(file) << path;
    EXPECT_NE(file.error().Line().find("can write to the new version"), std::string::npos);
    EXPECT_NE(file.error().Line().find(path), std::string::npos);
  }
}

TEST_F(NewFileTest, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  for (const std::string& path : {directory_, directory_ + "/fifo", std::string("/dev/null")}) {
    const auto file = NewFile::Open(path, kServer);
    ASSERT_FALSE(file) << path;
    EXPECT_NE(file.error().Line().find("not a regular file"), std::string::npos);
  }
}

TEST_F(NewFileTest, StaysTheFileThatWasOpened) {
  const std::string path = Make("good", 0, 0, 0755);
  std::filesystem::create_symlink(path, directory_ + "/link");
  const auto file = NewFile::Open(directory_ + "/link", kServer);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path(), path);
  std::filesystem::rename(Make("bad", kOther, kOther, 0777), path);
  EXPECT_EQ(Contents(path), "bad");
  EXPECT_EQ(Contents(file->file()), "good");
}

TEST_F(NewFileTest, KnowsWhetherItCanBeExecuted) {
  EXPECT_TRUE(NewFile::Open(Make("a", 0, 0, 0700), 0)->CheckExecutable());
  EXPECT_FALSE(NewFile::Open(Make("b", 0, 0, 0644), 0)->CheckExecutable());
}

}  // namespace
}  // namespace mcr::update
