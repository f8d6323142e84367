#include "tracer/sys/pagemap/pagemap.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace mcr::tracer {
namespace {

constexpr uint64_t kPage = 4096;

class PagemapTest : public testing::Test {
 protected:
  void SetUp() override {
    // Huge pages would populate more than is touched.
    memory_ = static_cast<char*>(
        mmap(nullptr, 16 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory_, MAP_FAILED);
    madvise(memory_, 16 * kPage, MADV_NOHUGEPAGE);
    memory_[2 * kPage] = memory_[3 * kPage] = memory_[9 * kPage] = 1;
  }
  void TearDown() override { munmap(memory_, 16 * kPage); }

  Addr At(uint64_t page) const { return Addr(reinterpret_cast<uint64_t>(memory_) + page * kPage); }
  Range<Addr> Pages(uint64_t from, uint64_t to) const {
    return *Range<Addr>::FromTo(At(from), At(to));
  }

  char* memory_ = nullptr;
};

TEST_F(PagemapTest, ListsWrittenPagesOfThisProcess) {
  const Pagemap pagemap = Pagemap::Open(getpid()).value();
  const std::vector<Range<Addr>> expected = {Pages(2, 4), Pages(9, 10)};
  EXPECT_EQ(pagemap.Pages(std::vector{Pages(0, 16)}, PageKind::kAnonymous).value(), expected);
  EXPECT_EQ(pagemap.PagesByEntry(std::vector{Pages(0, 16)}, PageKind::kAnonymous).value(),
            expected);
  EXPECT_EQ(pagemap.Pages(std::vector{Pages(0, 16)}, PageKind::kAny).value(), expected);
}

TEST_F(PagemapTest, FilePagesAreNotAnonymousUntilWritten) {
  const int fd = memfd_create("file", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
  ASSERT_EQ(mmap(memory_, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0),
            memory_);
  close(fd);
  EXPECT_EQ(memory_[0], 0);
  const Pagemap pagemap = Pagemap::Open(getpid()).value();
  EXPECT_TRUE(pagemap.Pages(std::vector{Pages(0, 2)}, PageKind::kAnonymous).value().empty());
  EXPECT_FALSE(pagemap.Pages(std::vector{Pages(0, 2)}, PageKind::kAny).value().empty());
  memory_[kPage] = 1;
  const std::vector<Range<Addr>> expected = {Pages(1, 2)};
  EXPECT_EQ(pagemap.Pages(std::vector{Pages(0, 2)}, PageKind::kAnonymous).value(), expected);
  EXPECT_EQ(pagemap.PagesByEntry(std::vector{Pages(0, 2)}, PageKind::kAnonymous).value(), expected);
}

}  // namespace
}  // namespace mcr::tracer
