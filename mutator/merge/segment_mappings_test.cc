#include "mutator/merge/segment_mappings.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <memory>

#include "mutator/merge/fake_program.h"
#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {
namespace {

TEST(SegmentMappings, FilePartsAreMappedFromTheFileAndTheRestIsZero) {
  const FakeProgram program;
  const Addr bias(0x550000000000);
  const auto mappings = SegmentMappings(program, bias);
  ASSERT_EQ(mappings.size(), 3u);
  EXPECT_EQ(mappings[0].protection, PROT_READ | PROT_EXEC);
  EXPECT_EQ(mappings[1].range.begin(), bias + 0x3000);
  EXPECT_EQ(mappings[1].file_offset, 0x3000u);
  EXPECT_FALSE(mappings[1].anonymous);
  EXPECT_EQ(mappings[2].range.begin(), bias + 0x4000);
  EXPECT_TRUE(mappings[2].anonymous);
  EXPECT_EQ(mappings[2].protection, PROT_READ | PROT_WRITE);
}

TEST(PairWritableVariables, PairsByNameAndLeavesOutReadOnlyMemory) {
  FakeProgram before, after;
  before.AddVariable("constant", FakeProgram::kRodata, 8);
  before.AddVariable("counter", FakeProgram::kData, 8);
  before.AddVariable("dropped", FakeProgram::kData + 8, 8);
  after.AddVariable("constant", FakeProgram::kRodata, 8);
  after.AddVariable("added", FakeProgram::kData, 8);
  after.AddVariable("counter", FakeProgram::kBss, 8);
  const auto pairs = PairWritableVariables(before, after, VariableNames(after, {}));
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].before->name, "counter");
  EXPECT_EQ(pairs[0].after->range.begin(), FakeProgram::kBss);
}

}  // namespace
}  // namespace mcr::mutator
