#include "checkpoint/criu/image_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcr/base/owned_fd.h"

namespace mcr::checkpoint {
namespace {

TEST(ImageDirectory, IsPrivateAndHasNoPath) {
  const ImageDirectory directory = ImageDirectory::CreatePrivate().value();
  struct stat status;
  ASSERT_EQ(fstat(directory.fd(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  const std::string link = "/proc/self/fd/" + std::to_string(directory.fd());
  char path[256] = {};
  ASSERT_GT(readlink(link.c_str(), path, sizeof(path) - 1), 0);
  EXPECT_STREQ(path, "/");
}

TEST(ImageDirectory, ReadsWhatIsWrittenIntoIt) {
  const ImageDirectory directory = ImageDirectory::CreatePrivate().value();
  const OwnedFd file(openat(directory.fd(), "core.img", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(file.valid());
  ASSERT_EQ(write(file.get(), "abc", 3), 3);
  EXPECT_EQ(directory.ReadFile("core.img").value(), "abc");
  EXPECT_FALSE(directory.ReadFile("core.img", 2).has_value());
  EXPECT_FALSE(directory.ReadFile("mm.img").has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
