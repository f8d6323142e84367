#include "mcr/record/compare.h"

#include <gtest/gtest.h>

#include <string>

namespace mcr::record {
namespace {

TEST(Masks, HideWhatTheyMatchAndNothingElse) {
  const Masks masks = Masks::Create({"Date: [^\r]*", "id=[0-9]+"}).value();
  EXPECT_EQ(masks.Apply("a\r\nDate: today\r\nid=17 id=x\r\n"),
            "a\r\n<masked>\r\n<masked> id=x\r\n");
}

TEST(Masks, WorkBehindNulBytes) {
  const Masks masks = Masks::Create({"b+"}).value();
  EXPECT_EQ(masks.Apply(std::string("a\0bbc", 5)), std::string("a\0<masked>c", 11));
}

TEST(Masks, OneThatMatchesNothingEnds) {
  EXPECT_EQ(Masks::Create({"x*"}).value().Apply("abc"), "abc");
}

TEST(Masks, OneThatIsNoExpressionIsNamed) {
  const auto masks = Masks::Create({"a", "(b"});
  ASSERT_FALSE(masks);
  EXPECT_EQ(masks.error().where, "(b");
}

TEST(Difference, IsEmptyForTheSame) { EXPECT_EQ(Difference("a\nb", "a\nb"), ""); }

TEST(Difference, ShowsTheLinesThatDifferAndTheOneBefore) {
  EXPECT_EQ(Difference("a\r\nb\r\nc\r\n", "a\r\nx\x01\r\nc\r\n"),
            "line 2 of the answers:\n  a\\r\\n\n- b\\r\\n\n+ x\\x01\\r\\n\n");
}

TEST(Difference, ShowsAMissingByte) {
  EXPECT_EQ(Difference("abc", "ab"), "line 1 of the answers:\n- abc\n+ ab\n");
}

TEST(Difference, ShowsAFewLinesOfMany) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += std::to_string(i) + "\n";
  EXPECT_NE(Difference(lines, "").find("- ... 94 more"), std::string::npos);
}

}  // namespace
}  // namespace mcr::record
