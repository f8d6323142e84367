#include "mutator/merge/changed_modules.h"

#include <gtest/gtest.h>

namespace mcr::mutator {
namespace {

constexpr Addr kProgram(0x55d0c0de0000);
constexpr Addr kLibrary(0x7f1000000000);

Mapping At(Addr begin, uint64_t size) {
  Mapping mapping;
  mapping.range = *Range<Addr>::FromSize(begin, size);
  return mapping;
}

ChangedModule Module(size_t index, Addr begin) {
  ChangedModule module;
  module.index = index;
  module.live.bias = begin;
  module.live.range = *Range<Addr>::FromSize(begin, 0x5000);
  module.new_range = *Range<Addr>::FromSize(Addr(begin.value() - (1ull << 32)), 0x6000);
  return module;
}

class ChangedModulesTest : public testing::Test {
 protected:
  // Something else begins where the library ends, and nothing where the program ends.
  const Mappings live_ = {At(kProgram, 0x5000), At(kLibrary, 0x5000),
                          At(kLibrary + 0x5000, 0x1000)};
  const ChangedModules modules_{{Module(0, kLibrary), Module(1, kProgram)}, live_};
};

TEST_F(ChangedModulesTest, AnAddressBelongsToTheModuleThatHoldsIt) {
  EXPECT_EQ(modules_.Of((kLibrary + 0x10).value())->index, 0u);
  EXPECT_EQ(modules_.Of((kProgram + 0x4fff).value())->index, 1u);
  EXPECT_EQ(modules_.Of(0x1000), nullptr);
  EXPECT_EQ(modules_.Of((kProgram + 0x5001).value()), nullptr);
}

TEST_F(ChangedModulesTest, OnePastTheEndBelongsToItWhereNothingElseBegins) {
  EXPECT_EQ(modules_.Of((kProgram + 0x5000).value())->index, 1u);
  EXPECT_FALSE(modules_.HoldOld((kProgram + 0x5000).value()));
  EXPECT_EQ(modules_.Of((kLibrary + 0x5000).value()), nullptr);
}

TEST_F(ChangedModulesTest, ShiftingKeepsTheLowerHalf) {
  const uint64_t shifted = modules_.Of(kLibrary.value())->Shifted((kLibrary + 0x123).value());
  EXPECT_EQ(shifted, (kLibrary + 0x123).value() - (1ull << 32));
}

}  // namespace
}  // namespace mcr::mutator
