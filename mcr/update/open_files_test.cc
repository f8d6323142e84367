#include "mcr/update/open_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "mcr/base/owned_fd.h"

namespace mcr::update {
namespace {

class OpenFilesTest : public ::testing::Test {
 protected:
  OwnedFd Open(int flags) const {
    return OwnedFd(open(path_.c_str(), flags | O_CREAT | O_CLOEXEC, 0600));
  }
  void TearDown() override { unlink(path_.c_str()); }

  const std::string path_ = ::testing::TempDir() + "open_files_test";
};

TEST_F(OpenFilesTest, OneThatIsWrittenToIsAnother) {
  const OwnedFd file = Open(O_RDWR);
  const OpenFiles files = OpenFiles::Of({getpid()});
  EXPECT_TRUE(files.CheckUnchanged());
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  const Status changed = files.CheckUnchanged();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().where, path_);
}

TEST_F(OpenFilesTest, OneThatIsGoneIsAnother) {
  const OwnedFd file = Open(O_RDONLY);
  const OpenFiles files = OpenFiles::Of({getpid()});
  unlink(path_.c_str());
  EXPECT_FALSE(files.CheckUnchanged());
}

TEST_F(OpenFilesTest, ALogMayGrow) {
  const OwnedFd file = Open(O_WRONLY | O_APPEND);
  const OpenFiles files = OpenFiles::Of({getpid()});
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_TRUE(files.CheckUnchanged());
  unlink(path_.c_str());
  EXPECT_FALSE(files.CheckUnchanged());
}

TEST_F(OpenFilesTest, OneThatIsMappedCounts) {
  void* memory = nullptr;
  {
    const OwnedFd file = Open(O_RDWR);
    ASSERT_EQ(write(file.get(), "x", 1), 1);
    memory = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, file.get(), 0);
    ASSERT_NE(memory, MAP_FAILED);
  }
  const OpenFiles files = OpenFiles::Of({getpid()});
  EXPECT_TRUE(files.CheckUnchanged());
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_FALSE(files.CheckUnchanged());
  munmap(memory, 1);
}

}  // namespace
}  // namespace mcr::update
