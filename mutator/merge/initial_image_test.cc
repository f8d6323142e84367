#include "mutator/merge/initial_image.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kBias = 0x550000000000;
const auto kVariable = *Range<FileAddr>::FromSize(FileAddr(0x3010), 24);

std::vector<std::byte> Words(std::initializer_list<uint64_t> words) {
  std::vector<std::byte> bytes(words.size() * 8);
  std::memcpy(bytes.data(), words.begin(), bytes.size());
  return bytes;
}

TEST(InitialImage, FileBytesAndRelocationsTogetherAreTheInitialValue) {
  auto program = std::make_shared<FakeProgram>();
  program->PutWord(FileAddr(0x3010), 7);
  program->PutWord(FileAddr(0x3020), 9);
  program->AddRelocation(FileAddr(0x3018), R_X86_64_RELATIVE, FileAddr(0x1100));
  const InitialImage initial(program);
  EXPECT_TRUE(initial.IsKnown(kVariable));
  EXPECT_EQ(initial.Bytes(kVariable, kBias), Words({7, kBias + 0x1100, 9}));
}

TEST(InitialImage, WordsThatTheLoaderResolvesBySymbolAreNeverKnown) {
  auto program = std::make_shared<FakeProgram>();
  program->AddRelocation(FileAddr(0x3018), R_X86_64_64, FileAddr(0));
  EXPECT_FALSE(InitialImage(program).IsKnown(kVariable));
}

TEST(InitialImage, ZeroPagesAreInitiallyZero) {
  const InitialImage initial(std::make_shared<FakeProgram>());
  const auto variable = *Range<FileAddr>::FromSize(FakeProgram::kBss + 0x10, 8);
  EXPECT_TRUE(initial.IsKnown(variable));
  EXPECT_EQ(initial.Bytes(variable, kBias), Words({0}));
}

TEST(InitialImage, PlainValueIsTheFilesOrZeroAndUnknownWithRelocations) {
  auto program = std::make_shared<FakeProgram>();
  program->PutWord(FileAddr(0x3010), 7);
  program->AddRelocation(FileAddr(0x3040), R_X86_64_RELATIVE, FileAddr(0x1100));
  const InitialImage initial(program);
  EXPECT_EQ(initial.PlainValue(kVariable), Words({7, 0, 0}));
  EXPECT_TRUE(initial.PlainValue(*Range<FileAddr>::FromSize(FileAddr(0x3038), 16)).empty());
  EXPECT_EQ(initial.PlainValue(*Range<FileAddr>::FromSize(FakeProgram::kBss, 8)), Words({0}));
}

}  // namespace
}  // namespace mcr::mutator
