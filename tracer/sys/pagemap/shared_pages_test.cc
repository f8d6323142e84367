#include "tracer/sys/pagemap/shared_pages.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kPages = 64;  // more than the kernel maps around a page that is touched

class SharedPagesTest : public testing::Test {
 protected:
  void TearDown() override {
    munmap(memory_, kPages * kPage);
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  // A child that has never touched what this process fills afterwards.
  void Share(int flags, int fd) {
    memory_ = static_cast<char*>(
        mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0));
    ASSERT_NE(memory_, MAP_FAILED);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      pause();
      _exit(0);
    }
    memory_[3 * kPage] = memory_[4 * kPage] = memory_[50 * kPage] = 1;
  }

  Addr At(uint64_t page) const { return Addr(reinterpret_cast<uint64_t>(memory_) + page * kPage); }
  Range<Addr> Pages(uint64_t from, uint64_t to) const {
    return *Range<Addr>::FromTo(At(from), At(to));
  }
  std::vector<Range<Addr>> OfChild(Range<Addr> part) const {
    const Mappings mappings = ProcFs().ReadMappings(child_).value();
    const Pagemap pagemap = Pagemap::Open(child_).value();
    return SharedPages(child_, *FindMapping(mappings, At(0)), part, pagemap).value();
  }

  char* memory_ = nullptr;
  pid_t child_ = -1;
};

TEST_F(SharedPagesTest, ThoseThatAnotherProcessHasFilledCount) {
  ASSERT_NO_FATAL_FAILURE(Share(MAP_ANONYMOUS, -1));
  EXPECT_TRUE(Pagemap::Open(child_)
                  .value()
                  .Pages(std::vector{Pages(0, kPages)}, PageKind::kAny)
                  .value()
                  .empty());
  const std::vector<Range<Addr>> expected = {Pages(3, 5), Pages(50, 51)};
  EXPECT_EQ(OfChild(Pages(0, kPages)), expected);
}

TEST_F(SharedPagesTest, OnlyWhatWasAskedFor) {
  ASSERT_NO_FATAL_FAILURE(Share(MAP_ANONYMOUS, -1));
  EXPECT_EQ(OfChild(Pages(4, 20)), (std::vector{Pages(4, 5)}));
  EXPECT_TRUE(OfChild(Pages(5, 50)).empty());
  EXPECT_TRUE(OfChild(Pages(51, kPages)).empty());
}

TEST_F(SharedPagesTest, WhatIsBehindTheEndOfAFileDoesNotCount) {
  const int fd = memfd_create("shared", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, 51 * kPage), 0);
  ASSERT_NO_FATAL_FAILURE(Share(0, fd));
  close(fd);
  const std::vector<Range<Addr>> expected = {Pages(3, 5), Pages(50, 51)};
  EXPECT_EQ(OfChild(Pages(0, kPages)), expected);
}

TEST_F(SharedPagesTest, ThePageWithTheEndOfAFileCountsAsAWhole) {
  const int fd = memfd_create("shared", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, 50 * kPage + 100), 0);
  ASSERT_NO_FATAL_FAILURE(Share(0, fd));
  close(fd);
  const std::vector<Range<Addr>> expected = {Pages(3, 5), Pages(50, 51)};
  EXPECT_EQ(OfChild(Pages(0, kPages)), expected);
}

TEST_F(SharedPagesTest, AFileOnDiskIsWhatTheProcessHasTouched) {
  char name[] = "/var/tmp/shared_pages_test.XXXXXX";
  const int fd = mkstemp(name);
  ASSERT_GE(fd, 0);
  unlink(name);
  ASSERT_EQ(ftruncate(fd, kPages * kPage), 0);
  ASSERT_NO_FATAL_FAILURE(Share(0, fd));
  close(fd);
  EXPECT_TRUE(OfChild(Pages(0, kPages)).empty());
}

}  // namespace
}  // namespace mcr::tracer
