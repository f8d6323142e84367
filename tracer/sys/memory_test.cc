#include "tracer/sys/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mcr/base/address.h"

namespace mcr::tracer {
namespace {

Addr AddressOf(const void* pointer) { return Addr(reinterpret_cast<uint64_t>(pointer)); }

class LiveMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    page_ = static_cast<char*>(
        mmap(nullptr, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(page_, MAP_FAILED);
    munmap(page_ + 4096, 4096);
    page_[4095] = 'x';
  }
  void TearDown() override { munmap(page_, 4096); }

  char* page_ = nullptr;
};

TEST_F(LiveMemoryTest, ReadsAndWritesPagesWhateverTheirProtection) {
  Result<LiveMemory> memory = LiveMemory::Open(getpid());
  ASSERT_TRUE(memory) << memory.error().Line();
  mprotect(page_, 4096, PROT_NONE);
  EXPECT_EQ(memory->ReadValue<char>(AddressOf(page_ + 4095)), 'x');
  ASSERT_TRUE(memory->WriteValue(AddressOf(page_), 'y'));
  mprotect(page_, 4096, PROT_READ);
  EXPECT_EQ(page_[0], 'y');
}

TEST_F(LiveMemoryTest, NamesTheFirstAddressThatCannotBeRead) {
  Result<LiveMemory> memory = LiveMemory::Open(getpid());
  ASSERT_TRUE(memory);
  const auto value = memory->ReadValue<uint64_t>(AddressOf(page_ + 4092));
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().where.find(Hex(AddressOf(page_ + 4096))), std::string::npos)
      << value.error().Line();
}

}  // namespace
}  // namespace mcr::tracer
