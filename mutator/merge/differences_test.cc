#include "mutator/merge/differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TypeId AddLong(FakeProgram& program) {
  return program.AddType(
      {.kind = TypeKind::kInteger, .name = "long", .size = 8, .is_signed = true});
}

TypeId AddStruct(FakeProgram& program, const std::string& name, TypeId member, uint64_t size) {
  return program.AddType({.kind = TypeKind::kStruct,
                          .name = name,
                          .size = size,
                          .members = {{.name = "m", .type = member, .offset = size - 8}}});
}

class ScatteredTest : public ::testing::Test {
 protected:
  std::vector<std::string> Problems() {
    AddressMap map(before_, after_, std::make_unique<FakeComparer>());
    return Compare(*before_, *after_, map).problems;
  }
  // A struct with a number, and one with a pointer to something.
  void Add(FakeProgram& program) {
    const TypeId number = AddLong(program);
    numbers_ = AddStruct(program, "numbers", number, 8);
    const TypeId pointer = program.AddType({.kind = TypeKind::kPointer, .size = 8});
    links_ = AddStruct(program, "links", pointer, 8);
  }
  void SetUp() override {
    Add(*before_);
    Add(*after_);
  }
  void ChangeAType() {
    AddStruct(*before_, "item", 1, 8);
    AddStruct(*after_, "item", 1, 16);
  }

  std::shared_ptr<FakeProgram> before_ = std::make_shared<FakeProgram>();
  std::shared_ptr<FakeProgram> after_ = std::make_shared<FakeProgram>();
  TypeId numbers_ = 0, links_ = 0;  // in both programs
};

TEST_F(ScatteredTest, IsLeftAloneIfNothingChanges) {
  before_->AddScattered("state", links_);
  after_->AddScattered("state", links_);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ScatteredTest, IsLeftAloneIfItLeadsToNothing) {
  before_->AddScattered("state", numbers_);
  after_->AddScattered("state", numbers_);
  ChangeAType();
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ScatteredTest, IsRefusedIfItMayLeadToWhatChanges) {
  before_->AddScattered("state", links_);
  after_->AddScattered("state", links_);
  ChangeAType();
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("`state`")));
}

TEST_F(ScatteredTest, IsInNoMemoryIfItIsOfAFunction) {
  before_->AddScattered("local", links_, "main");
  after_->AddScattered("local", links_, "main");
  ChangeAType();
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ScatteredTest, IsRefusedIfItsOwnTypeChanges) {
  before_->AddScattered("state", AddStruct(*before_, "grown", 1, 8));
  after_->AddScattered("state", AddStruct(*after_, "grown", 1, 16));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("`state`")));
}

TEST_F(ScatteredTest, IsRefusedIfItIsWholeInTheOtherVersion) {
  before_->AddScattered("state", numbers_);
  after_->AddVariable("state", FakeProgram::kBss, 8, numbers_);
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("`state`")));
}

}  // namespace
}  // namespace mcr::mutator
