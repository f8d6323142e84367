#include "checkpoint/kept/kept_image.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::checkpoint {
namespace {

constexpr Addr kHeap(0x10000), kOther(0x20000);
constexpr uint64_t kPage = FakeImage::kPageSize;

class KeptImageTest : public ::testing::Test {
 protected:
  KeptImageTest() {
    image_.MapAnonymous(kHeap, 3 * kPage, "[heap]").MapAnonymous(kOther, kPage);
    image_.WriteWord(kHeap + 8, 1).WriteWord(kHeap + kPage + 8, 1).WriteWord(kOther, 2);
    ThreadImage thread{.tid = 7};
    thread.registers.rip = 0x1234;
    thread.return_slots = {Addr(0x20010)};
    thread.frames = {{Addr(0x1234), Addr(0x20008), {Addr(1), Addr(2), Addr(3)}}};
    image_.AddThread(thread);
    image_.SetLayout({.start_brk = kHeap, .brk = kHeap + 2 * kPage, .auxv = {std::byte{9}}});
  }

  std::unique_ptr<KeptImage> KeepAndOpen() {
    PagePool pool;
    EXPECT_TRUE(KeepImage(image_, directory_, "one", pool));
    EXPECT_TRUE(pool.Write(directory_));
    return KeptImage::Open(directory_, "one", KeptPages::Open(directory_).value()).value();
  }

  FakeImage image_;
  ImageDirectory directory_ = ImageDirectory::CreatePrivate().value();
};

TEST_F(KeptImageTest, SaysWhatTheImageSaid) {
  const auto kept = KeepAndOpen();
  EXPECT_EQ(kept->pid(), image_.pid());
  ASSERT_EQ(kept->mappings().size(), 2u);
  EXPECT_EQ(kept->mappings()[0].path, "[heap]");
  EXPECT_TRUE(kept->mappings()[0].writable);
  ASSERT_EQ(kept->threads().size(), 1u);
  EXPECT_EQ(std::memcmp(&kept->threads()[0].registers, &image_.threads()[0].registers,
                        sizeof(user_regs_struct)),
            0);
  EXPECT_EQ(kept->threads()[0].return_slots, image_.threads()[0].return_slots);
  EXPECT_EQ(kept->threads()[0].frames[0].saved, image_.threads()[0].frames[0].saved);
  EXPECT_EQ(kept->layout().brk, image_.layout().brk);
  EXPECT_EQ(kept->layout().auxv, image_.layout().auxv);
  const Range<Addr> all = kept->mappings()[0].range;
  EXPECT_EQ(kept->PopulatedRanges(all).value(), image_.PopulatedRanges(all).value());
}

TEST_F(KeptImageTest, HasTheSameMemory) {
  const auto kept = KeepAndOpen();
  for (const Mapping& mapping : image_.mappings()) {
    std::vector<std::byte> before(mapping.range.size()), after(mapping.range.size());
    ASSERT_TRUE(image_.Read(mapping.range.begin(), before));
    ASSERT_TRUE(kept->Read(mapping.range.begin(), after));
    EXPECT_TRUE(before == after);
  }
  EXPECT_FALSE(kept->ReadValue<uint64_t>(kOther + kPage).has_value());
}

TEST_F(KeptImageTest, KeepsPagesThatAreAlikeOnce) {
  KeepAndOpen();
  EXPECT_EQ(directory_.ReadFile("mcr-pages").value().size(), 2 * kPage);
}

TEST_F(KeptImageTest, ADamagedFileIsAnError) {
  KeepAndOpen();
  const std::string bytes = directory_.ReadFile("one").value();
  ASSERT_TRUE(directory_.WriteFile("one", bytes.substr(0, bytes.size() / 2)));
  EXPECT_FALSE(KeptImage::Open(directory_, "one", KeptPages::Open(directory_).value()));
}

}  // namespace
}  // namespace mcr::checkpoint
