#include "mutator/filter/state_filter.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/filter/bound.h"
#include "mutator/filter/evaluator.h"
#include "mutator/filter/syntax.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

constexpr Addr kBias(0x550000000000);
constexpr Addr kHeap(0x560000000000);
constexpr FileAddr kData = FakeProgram::kData;

Type Basic(std::string name, uint64_t size, bool is_signed) {
  Type type;
  type.kind = TypeKind::kInteger;
  type.name = std::move(name);
  type.size = size;
  type.is_signed = is_signed;
  return type;
}

class StateFilterTest : public testing::Test {
 protected:
  StateFilterTest() : program_(std::make_shared<FakeProgram>()) {
    int_ = program_->AddType(Basic("int", 4, true));
    const TypeId unsigned_long = program_->AddType(Basic("long unsigned int", 8, false));
    const TypeId character = program_->AddType(Basic("char", 1, true));
    Type real;
    real.kind = TypeKind::kFloat;
    real.name = "double";
    real.size = 8;
    const TypeId real_id = program_->AddType(real);
    Type phase;
    phase.kind = TypeKind::kEnum;
    phase.name = "phase";
    phase.size = 4;
    phase.enumerators = {{"IDLE", 0}, {"BUSY", 3}};
    const TypeId phase_id = program_->AddType(phase);
    const TypeId text_id = PointerTo(character);
    const TypeId next_id = PointerTo(text_id + 2);  // the item, which comes next
    Type item;
    item.kind = TypeKind::kStruct;
    item.name = "item";
    item.size = 24;
    item.members = {{"count", int_, 0},
                    {"ready", int_, 4, 0, 1},
                    {"level", int_, 4, 1, 3},
                    {"name", text_id, 8},
                    {"next", next_id, 16}};
    item_ = program_->AddType(item);
    program_->AddVariable("count", kData, 4, int_);
    program_->AddVariable("limit", kData + 8, 8, unsigned_long);
    program_->AddVariable("head", kData + 16, 8, PointerTo(item_));
    program_->AddVariable("table", kData + 24, 16, ArrayOf(int_, 4));
    program_->AddVariable("title", kData + 40, 8, ArrayOf(character, 8));
    program_->AddVariable("ratio", kData + 48, 8, real_id);
    program_->AddVariable("phase", kData + 56, 4, phase_id);
    program_->AddVariable("first", kData + 64, 24, item_);
    program_->AddVariable("opaque", kData + 88, 8, PointerTo(0));
    program_->AddVariable("bare", kData + 96, 4);
    program_->AddStatic("level", "src/log.c", "", kData + 100, 4, int_);
    program_->AddStatic("level", "src/net.c", "", kData + 104, 4, int_);
    program_->AddStatic("calls", "src/log.c", "work", kData + 108, 4, int_);
    program_->AddFunction("work", FakeProgram::kText, 16);

    image_.MapAnonymous(kBias + kData.value(), 0x1000).MapAnonymous(kHeap, 0x1000, "[heap]");
    Put(0, int{-5});
    Put(8, uint64_t{7});
    Put(16, kHeap.value());
    for (int i = 0; i < 4; ++i) Put(24 + 4 * static_cast<uint64_t>(i), 10 * (i + 1));
    image_.WriteString(At(40), "proxy");
    Put(56, int{3});
    Put(64, int{42});
    Put(68, int{0b1011});  // ready = -1, level = -3
    Put(88, kHeap.value());
    Put(96, int{9});
    Put(100, int{1});
    Put(104, int{2});
    Put(108, int{6});
    image_.WriteValue(kHeap, int{4});
    image_.WriteWord(kHeap + 8, (kHeap + 0x100).value());
    image_.WriteString(kHeap + 0x100, "beta");
  }

  TypeId PointerTo(TypeId target) {
    Type type;
    type.kind = TypeKind::kPointer;
    type.size = 8;
    type.target = target;
    return program_->AddType(type);
  }
  TypeId ArrayOf(TypeId target, uint64_t count) {
    Type type;
    type.kind = TypeKind::kArray;
    type.target = target;
    type.count = count;
    return program_->AddType(type);
  }
  static Addr At(uint64_t offset) { return kBias + kData.value() + offset; }
  template <class T>
  void Put(uint64_t offset, const T& value) {
    image_.WriteValue(At(offset), value);
  }

  Result<bool> Evaluate(const std::string& text) {
    seen_.clear();
    MCR_ASSIGN(const Syntax syntax, ParseFilter(text));
    MCR_ASSIGN(const Bound bound, BindFilter(text, syntax, {program_}));
    return EvaluateFilter(bound, image_, {kBias}, seen_);
  }
  bool True(const std::string& text) {
    const auto result = Evaluate(text);
    EXPECT_TRUE(result) << text << ": " << result.error().Line();
    return result && *result;
  }
  std::string Error(const std::string& text) {
    const auto result = Evaluate(text);
    return result ? "no error" : result.error().Line();
  }

  std::shared_ptr<FakeProgram> program_;
  TypeId int_ = 0, item_ = 0;
  checkpoint::FakeImage image_;
  Observations seen_;
};

TEST_F(StateFilterTest, ReadsVariablesOfTheirTypes) {
  EXPECT_TRUE(True("count == -5"));
  EXPECT_TRUE(True("limit == 7 && limit < 8u"));
  EXPECT_TRUE(True("phase == BUSY && phase != IDLE"));
  EXPECT_TRUE(True("table[2] == 30 && *(table + 1) == 20"));
  EXPECT_TRUE(True("first.count == 42"));
  EXPECT_TRUE(True("first.ready && first.level == -3"));
}

TEST_F(StateFilterTest, FollowsPointers) {
  EXPECT_TRUE(True("head && head->count == 4 && (*head).count == 4 && head[0].count < 5"));
  EXPECT_TRUE(True("((struct item *)opaque)->count == 4 && ((item *)opaque)->count == 4"));
  EXPECT_TRUE(True("&head->name == (item *)opaque + 1 ? 0 : 1"));
  EXPECT_TRUE(True("!head->next || head->next->count"));
}

TEST_F(StateFilterTest, ComputesAsCDoes) {
  EXPECT_TRUE(True("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 4 - 3 == 3"));
  EXPECT_TRUE(True("(1 << 4 | 3) == 0x13 && (6 & 3) == 2 && (6 ^ 3) == 5 && ~0 == -1"));
  EXPECT_TRUE(True("-7 / 2 == -3 && -7 % 2 == -1 && -8 >> 1 == -4 && 017 == 15"));
  EXPECT_TRUE(True("(unsigned char)-1 == 255 && (char)255 == -1 && (unsigned)count > 1000"));
  EXPECT_TRUE(True("1 || 1 / 0"));
  EXPECT_FALSE(True("0 && 1 / 0"));
  EXPECT_TRUE(True("0 ? 0 : 2"));
  EXPECT_TRUE(True("'a' == 97 && '\\n' == 10"));
}

TEST_F(StateFilterTest, ComparesWhatNumbersAreNotHowTheyAreConverted) {
  EXPECT_TRUE(True("count < limit && -1 < 1u && 0xffffffffffffffff > 0"));
}

TEST_F(StateFilterTest, ComparesTexts) {
  EXPECT_TRUE(True("title == \"proxy\" && \"prox\" != title"));
  EXPECT_TRUE(True("head->name == \"beta\""));
  EXPECT_EQ(Text(seen_), "`head->name` = \"beta\"");
  EXPECT_EQ(Error("head->next->name == \"x\""), "`head->next` is null");
  EXPECT_EQ(Error("count == \"x\""),
            "a text is compared with `count`, which is `int`, column 1 of `count == \"x\"`");
}

TEST_F(StateFilterTest, SaysWhichStaticIsMeant) {
  EXPECT_TRUE(True("'src/log.c'::level == 1 && 'net.c'::level == 2 && work::calls == 6"));
  EXPECT_EQ(Error("level"),
            "there is more than one `level`, column 1 of `level`; say which: 'src/log.c'::level or "
            "'src/net.c'::level");
}

TEST_F(StateFilterTest, ShowsTheValuesThatItRead) {
  EXPECT_FALSE(True("head && head->count < 4"));
  EXPECT_EQ(Text(seen_), "`head` = 0x560000000000, `head->count` = 4");
  EXPECT_FALSE(True("phase == IDLE"));
  EXPECT_EQ(Text(seen_), "`phase` = BUSY (3)");
}

TEST_F(StateFilterTest, FailsForWhatLeadsNowhere) {
  EXPECT_EQ(Error("head->next->count"), "`head->next` is null");
  Put(16, uint64_t{0x10});
  EXPECT_EQ(Error("head->count == 4"),
            "`head->count` cannot be read: the process has no memory at 0x10");
  EXPECT_EQ(Error("count / (limit - 7)"), "`count / (limit - 7)` divides by zero");
  EXPECT_EQ(Error("table[4]"), "`table` has 4 elements, and none with index 4");
  EXPECT_EQ(Error("table[-1]"), "`table` has 4 elements, and none with index -1");
  EXPECT_EQ(Error("1 << 64"), "`1 << 64` shifts by 64 bits");
}

TEST_F(StateFilterTest, NamesWhatIsUnknownAndWhatIsNear) {
  EXPECT_EQ(Error("1 && cuont"),
            "the old version has no variable `cuont`, column 6 of `1 && cuont`; did you mean "
            "`count`?");
  EXPECT_EQ(Error("head->conut"),
            "`struct item` has no field `conut`, column 1 of `head->conut`; did you mean `count`?");
  EXPECT_EQ(Error("xyzzyplugh"),
            "the old version has no variable `xyzzyplugh`, column 1 of `xyzzyplugh`");
  EXPECT_EQ(Error("(struct nothing *)opaque"),
            "the old version has no type `struct nothing`, column 1 of `(struct nothing *)opaque`");
}

TEST_F(StateFilterTest, RefusesWhatHasNoTruthValue) {
  EXPECT_EQ(Error("first + 1 > 2"),
            "`first` is `struct item`, column 1 of `first + 1 > 2`; name one of its fields");
  EXPECT_EQ(Error("*head"),
            "`*head` is `struct item`, column 1 of `*head`; name one of its fields");
  EXPECT_EQ(
      Error("ratio > 1"),
      "`ratio` is `double`, column 1 of `ratio > 1`; floating-point numbers are not compared");
  EXPECT_EQ(Error("*opaque"),
            "nothing says what `opaque` points to, column 1 of `*opaque`; cast it, as in (struct "
            "item *)opaque");
  EXPECT_EQ(Error("first->count"), "`first` is `struct item`, column 1 of `first->count`; use `.`");
  EXPECT_EQ(Error("head.count"), "`head` is `struct item *`, column 1 of `head.count`; use `->`");
  EXPECT_EQ(Error("*count"), "`count` is no pointer but `int`, column 1 of `*count`");
  EXPECT_EQ(Error("head * 2"), "`head` is `struct item *`, not an integer, column 1 of `head * 2`");
  EXPECT_TRUE(True("*(int *)&bare == 9"));
}

TEST_F(StateFilterTest, SaysInWhichColumnTheSyntaxIsWrong) {
  EXPECT_EQ(Error("count <"), "a value is expected, not the end, column 8 of `count <`");
  EXPECT_EQ(Error("(count"), "`)` is expected, not the end, column 7 of `(count`");
  EXPECT_EQ(Error("count 3"), "an operator is expected, not `3`, column 7 of `count 3`");
  EXPECT_EQ(Error("count = 3"),
            "nothing can be assigned here: `==` compares, column 7 of `count = 3`");
  EXPECT_EQ(Error(""), "a value is expected, not the end, column 1 of ``");
  EXPECT_EQ(Error("work()"),
            "functions are not called: they would have to run in the server, column 5 of `work()`");
  EXPECT_EQ(Error("\"open"), "the quote is not closed, column 1 of `\"open`");
  EXPECT_EQ(Error("1.5 < 2"), "floating-point numbers are not compared, column 2 of `1.5 < 2`");
  EXPECT_EQ(Error("99999999999999999999"),
            "the number has more than 64 bits, column 1 of `99999999999999999999`");
}

TEST_F(StateFilterTest, RefusesWhatIsTooLongOrTooDeep) {
  EXPECT_NE(Error(std::string(5000, '1')).find("longer than 4096"), std::string::npos);
  EXPECT_NE(Error(std::string(100, '(') + "1").find("nested too deeply"), std::string::npos);
  EXPECT_NE(Error(std::string(200, '!') + "1").find("nested too deeply"), std::string::npos);
  std::string sum = "1";
  while (sum.size() < 200) sum += "+1";
  EXPECT_TRUE(True(sum));
  while (sum.size() < 4000) sum += "+1";
  EXPECT_NE(Error(sum).find("more than 256 words"), std::string::npos);
}

// Whatever the text, there is a value or a message.
TEST_F(StateFilterTest, SurvivesAnyText) {
  const std::vector<std::string> words = {
      "count",       "head",  "->",    "next",     ".",     "[",      "]",    "(",  ")",    "*",
      "&",           "table", "first", "title",    "+",     "-",      "/",    "%",  "<<",   ">>",
      "==",          "&&",    "||",    "!",        "~",     "?",      ":",    "1",  "0x7f", "\"t\"",
      "'src/log.c'", "::",    "level", "(item *)", "(int)", "opaque", "work", "\\", "\x80", "="};
  std::mt19937 random(1);  // NOLINT: the same texts every time
  int values = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const size_t length = random() % 12;
    for (size_t i = 0; i < length; ++i) text += words[random() % words.size()] + " ";
    const auto result = Evaluate(text);
    if (result) {
      ++values;
    } else {
      EXPECT_FALSE(result.error().what.empty()) << text;
    }
  }
  EXPECT_GT(values, 50);
}

}  // namespace
}  // namespace mcr::mutator
