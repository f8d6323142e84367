// The merge as a whole, over processes and programs made of literals.
#include "mutator/merge/merge.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/frame_flow.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/fake_mapping.h"
#include "mutator/merge/fake_program.h"
#include "mutator/merge/stack/frame_plan.h"
#include "mutator/merge/stack/frame_planner.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr auto& kPath = kFakeProgramPath;
constexpr Addr kLive(0x55d0c0de0000);
constexpr Addr kNext(0x561122330000);
constexpr Addr kBase(0x563344551000);
constexpr Addr kHeap(0x55d0c2000000);
constexpr Addr kStack(0x7ffc00000000);
constexpr Addr kStackPointer = kStack + 0x800;

class MergeTest : public testing::Test {
 protected:
  MergeTest() {
    MapFakeProgram(live_, kLive);
    MapFakeProgram(next_, kNext);
    MapFakeProgram(base_, kBase);
    MapFakeProgram(base_again_, kBase);
    live_.MapAnonymous(kHeap, 0x2000, "[heap]").MapAnonymous(kStack, 0x1000, "[stack]");
    checkpoint::MemoryLayout layout;
    layout.start_brk = kHeap;
    live_.SetLayout(layout);
    thread_.tid = live_.pid();
    thread_.registers.rsp = kStackPointer.value();
  }

  MergePlan Merge() { return Merge({&live_, &next_, &base_, &base_again_}); }
  MergePlan Merge(const ProcessPair& pair) {
    live_.AddThread(thread_);
    auto map = std::make_shared<AddressMap>(before_, after_, std::make_unique<FakeComparer>());
    Merger merger({{before_, after_, kPath, kPath, kPath, std::move(map), true, frames_}});
    return merger.Merge({pair}).value();
  }
  // A variable of eight bytes that both versions have at the same place.
  void AddVariable(const char* name, FileAddr at) {
    before_->AddVariable(name, at, 8);
    after_->AddVariable(name, at, 8);
  }
  // What it holds in the images.
  void SetWords(uint64_t at, uint64_t live, uint64_t base, uint64_t next) {
    live_.WriteWord(kLive + at, live);
    base_.WriteWord(kBase + at, base);
    base_again_.WriteWord(kBase + at, base);
    next_.WriteWord(kNext + at, next);
  }

  // What the plan writes to a word; nullopt: nothing.
  static std::optional<uint64_t> Written(const MergePlan& plan, Addr at) {
    std::optional<uint64_t> word;
    for (const auto& entry : plan.graft.processes.front().writes.entries()) {
      if (entry.at > at || entry.at + entry.size < at + 8) continue;
      const auto bytes = plan.graft.processes.front().writes.bytes(entry);
      word.emplace();
      std::memcpy(&*word, bytes.data() + (at - entry.at), 8);
    }
    return word;
  }
  static Addr NewProgram(const MergePlan& plan) {
    return plan.graft.processes.front().mappings.front().range.begin();
  }
  static uint64_t InNew(const MergePlan& plan, uint64_t file_address) {
    return NewProgram(plan).value() + file_address;
  }

  std::shared_ptr<FakeProgram> before_ = std::make_shared<FakeProgram>();
  std::shared_ptr<FakeProgram> after_ = std::make_shared<FakeProgram>();
  std::shared_ptr<FramePlanner> frames_;
  FakeImage live_, next_, base_, base_again_;
  checkpoint::ThreadImage thread_;
};

TEST_F(MergeTest, PointersInTheHeapFollowWhatTheyName) {
  before_->AddFunction("handler", FileAddr(0x1100), 0x20);
  after_->AddFunction("handler", FileAddr(0x1400), 0x20);
  live_.WriteWord(kHeap + 0x10, (kLive + 0x1100).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kHeap + 0x10), InNew(plan, 0x1400));
  EXPECT_EQ(plan.pointers.functions, 1u);
}

TEST_F(MergeTest, PointerToADroppedFunctionIsAProblemThatNamesIt) {
  before_->AddFunction("dropped", FileAddr(0x1100), 0x20);
  live_.WriteWord(kHeap + 0x10, (kLive + 0x1100).value());
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("`dropped` is not in the new version"), std::string::npos);
}

TEST_F(MergeTest, LowerHalfOfWhatOnlyLooksLikeAPointerStays) {
  before_->AddFunction("handler", FileAddr(0x1100), 0x20);
  after_->AddFunction("handler", FileAddr(0x1400), 0x20);
  // Two characters of a counted text over the entry of `handler`: 0x6574 is "te".
  const uint64_t remains = 0x55d0c0de6574 - 0x5000;
  before_->AddFunction("other", FileAddr(0x1500), 0x200);
  after_->AddFunction("other", FileAddr(0x1800), 0x200);
  live_.WriteWord(kHeap + 0x20, remains);
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  ASSERT_TRUE(Written(plan, kHeap + 0x20).has_value());
  EXPECT_EQ(*Written(plan, kHeap + 0x20) & 0xffffffff, remains & 0xffffffff);
  EXPECT_FALSE(plan.graft.processes[0].unmap[0].Contains(Addr(*Written(plan, kHeap + 0x20))));
  EXPECT_EQ(plan.pointers.shifted, 1u);
}

class TextOverPointer : public MergeTest {
 protected:
  TextOverPointer() {
    before_->AddVariable("table", FileAddr(0x3040), 0x40);
    after_->AddVariable("table", FileAddr(0x3840), 0x40);
    // A text without a count runs up to a word whose first byte is '@'.
    live_.WriteString(kHeap + 0x108, "User-Agent: examp");
    live_.WriteWord(kHeap + 0x118, (kLive + 0x3040).value());
    // Something points there, so that it is not just memory that was given back.
    live_.WriteWord(kHeap + 0x700, (kHeap + 0x100).value());
  }
};

TEST_F(TextOverPointer, WordThatMayBeTheEndOfATextIsAProblem) {
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("the end of a text"), std::string::npos);
  EXPECT_TRUE(plan.ProblemsMayPass());
}

TEST_F(TextOverPointer, BesideAProblemThatStaysItDoesNotMatterThatOnePasses) {
  before_->AddVariable("gone", FileAddr(0x3100), 8);
  live_.WriteWord(kHeap + 0x300, (kLive + 0x3100).value());
  const MergePlan plan = Merge();
  EXPECT_EQ(plan.problems.size(), 2u);
  EXPECT_FALSE(plan.ProblemsMayPass());
}

TEST_F(TextOverPointer, ConstantOrTextBothAreServed) {
  for (FakeProgram* program : {before_.get(), after_.get()}) {
    program->PutLiteral(FileAddr(program == before_.get() ? 0x2040 : 0x2240), "localhost");
  }
  live_.WriteWord(kHeap + 0x118, (kLive + 0x2040).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.pointers.undecided, 1u);
  const auto word = Written(plan, kHeap + 0x118);
  ASSERT_TRUE(word.has_value());
  EXPECT_EQ(*word & 0xffffffff, (kLive + 0x2040).value() & 0xffffffff);
  EXPECT_FALSE(plan.graft.processes[0].unmap[0].Contains(Addr(*word)));
  const auto& mappings = plan.graft.processes[0].mappings;
  EXPECT_TRUE(std::ranges::any_of(mappings, [&](const checkpoint::NewMapping& mapping) {
    return mapping.anonymous && mapping.range.Contains(Addr(*word));
  }));
  const auto text = Written(plan, Addr(*word));
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(std::memcmp(&*text, "localhos", 8), 0);
}

TEST_F(TextOverPointer, WhatNothingPointsToIsRemains) {
  live_.WriteWord(kHeap + 0x700, 0);
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.pointers.shifted, 1u);
}

TEST_F(TextOverPointer, OtherPointersToTheSamePlaceSettleIt) {
  live_.WriteWord(kHeap + 0x800, (kLive + 0x3040).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kHeap + 0x118), InNew(plan, 0x3840));
}

// Start-up wrote it: the old version's starts have their heap elsewhere, and the same in it.
class TextOverPointerOfTheStart : public TextOverPointer {
 protected:
  TextOverPointerOfTheStart() {
    checkpoint::MemoryLayout layout;
    layout.start_brk = kBaseHeap;
    for (FakeImage* start : {&base_, &base_again_}) {
      start->SetLayout(layout).MapAnonymous(kBaseHeap, 0x2000, "[heap]");
    }
  }
  void WriteToStarts(const char* text, uint64_t word) {
    for (FakeImage* start : {&base_, &base_again_}) {
      start->WriteString(kBaseHeap + 0x108, text);
      start->WriteWord(kBaseHeap + 0x118, word);
    }
  }

  static constexpr Addr kBaseHeap{0x563346000000};
};

TEST_F(TextOverPointerOfTheStart, SameCharactersThatPointElsewhereAreText) {
  // "@0" in each of them, over a pointer into the program, which lies elsewhere.
  WriteToStarts("User-Agent: examp", (kBase + 0x2040).value());
  live_.WriteWord(kHeap + 0x118, (kLive + 0x3040).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.pointers.shifted, 1u);
}

TEST_F(TextOverPointerOfTheStart, TextThatIsKnownBeatsOtherPointersToTheSamePlace) {
  WriteToStarts("User-Agent: examp", (kBase + 0x2040).value());
  live_.WriteWord(kHeap + 0x800, (kLive + 0x3040).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.pointers.shifted, 1u);
}

TEST_F(TextOverPointerOfTheStart, SameTargetWithoutATextBeforeItIsAPointer) {
  WriteToStarts("\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08",
                (kBase + 0x3040).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kHeap + 0x118), InNew(plan, 0x3840));
}

TEST_F(TextOverPointerOfTheStart, FirstByteAloneMayBeText) {
  // An old pointer behind one character moves along as a pointer does.
  WriteToStarts("User-Agent: examp", (kBase + 0x3040).value());
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("the end of a text"), std::string::npos);
}

TEST_F(TextOverPointerOfTheStart, EmptyWordSaysNothing) {
  WriteToStarts("User-Agent: examp", 0x3040);
  EXPECT_EQ(Merge().problems.size(), 1u);
}

TEST_F(MergeTest, VariablesKeepTheServersValueAtTheirNewPlace) {
  before_->AddVariable("counter", FileAddr(0x3010), 8);
  after_->AddVariable("counter", FileAddr(0x3100), 8);
  live_.WriteWord(kLive + 0x3010, 4711);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3100), 4711u);
  EXPECT_EQ(plan.variables.kept, 1u);
}

TEST_F(MergeTest, ChangedDefaultThatNobodyTouchedTakesEffect) {
  AddVariable("limit", FileAddr(0x3010));
  before_->PutWord(FileAddr(0x3010), 10);
  after_->PutWord(FileAddr(0x3010), 20);
  SetWords(0x3010, 10, 10, 20);
  const MergePlan plan = Merge();
  // The new file's own value: nothing needs to be written.
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), std::nullopt);
  EXPECT_EQ(plan.variables.initialised, 1u);
  EXPECT_TRUE(plan.conflicts.empty());
}

TEST_F(MergeTest, ChangedDefaultThatTheServerTouchedIsAConflictAndStays) {
  AddVariable("limit", FileAddr(0x3010));
  before_->PutWord(FileAddr(0x3010), 10);
  after_->PutWord(FileAddr(0x3010), 20);
  SetWords(0x3010, 15, 10, 20);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 15u);
  EXPECT_EQ(plan.conflicts.size(), 1u);
}

TEST_F(MergeTest, WhatStartUpComputesComesFromTheNewVersion) {
  AddVariable("computed", FileAddr(0x3010));
  SetWords(0x3010, 100, 100, 200);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 200u);
  EXPECT_EQ(plan.variables.initialised, 1u);
}

TEST_F(MergeTest, WhatTheServerComputedAfterStartUpIsKept) {
  // Although it happens to be what the file says.
  AddVariable("counter", FileAddr(0x3010));
  SetWords(0x3010, 0, 1, 2);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), std::nullopt);
  EXPECT_EQ(plan.variables.kept, 1u);
}

TEST_F(MergeTest, WhatNoTwoStartsHaveInCommonIsKept) {
  AddVariable("slot", FileAddr(0x3010));
  SetWords(0x3010, 2, 2, 3);
  base_again_.WriteWord(kBase + 0x3010, 4);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 2u);
  EXPECT_EQ(plan.variables.kept, 1u);
}

TEST_F(MergeTest, WithoutABaseEveryValueCountsAsChanged) {
  AddVariable("computed", FileAddr(0x3010));
  SetWords(0x3010, 100, 100, 200);
  const MergePlan plan = Merge({&live_, &next_});
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 100u);
  EXPECT_EQ(plan.variables.kept, 1u);
}

TEST_F(MergeTest, PointersAreComparedByWhatTheyName) {
  before_->AddFunction("handler", FileAddr(0x1100), 0x20);
  after_->AddFunction("handler", FileAddr(0x1400), 0x20);
  after_->AddFunction("better_handler", FileAddr(0x1500), 0x20);
  AddVariable("callback", FileAddr(0x3010));
  SetWords(0x3010, (kLive + 0x1100).value(), (kBase + 0x1100).value(), (kNext + 0x1500).value());
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), InNew(plan, 0x1500));
  EXPECT_EQ(plan.variables.initialised, 1u);
}

TEST_F(MergeTest, PointerToMemoryOfItsOwnProcessStays) {
  AddVariable("buffer", FileAddr(0x3010));
  next_.MapAnonymous(Addr(0x561130000000), 0x1000, "[heap]");
  SetWords(0x3010, 0, 0, 0x561130000010);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), std::nullopt);
  EXPECT_EQ(plan.variables.bound, 1u);
}

TEST_F(MergeTest, PackedPointerToMemoryOfItsOwnProcessStays) {
  before_->AddVariable("packed", FileAddr(0x3010), 16);
  after_->AddVariable("packed", FileAddr(0x3010), 16);
  next_.MapAnonymous(Addr(0x561130000000), 0x1000, "[heap]");
  next_.WriteWord(kNext + 0x3013, 0x561130000010);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), std::nullopt);
  EXPECT_EQ(plan.variables.bound, 1u);
}

TEST_F(MergeTest, DescriptorThatTheNewVersionOpensUnderAnotherNumberStays) {
  AddVariable("listener", FileAddr(0x3010));
  SetWords(0x3010, 5, 5, 6);
  const MergePlan plan = Merge({&live_, &next_, &base_, &base_again_, {3, 4, 5}, {3, 4, 5, 6}});
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 5u);
  EXPECT_EQ(plan.variables.bound, 1u);
}

TEST_F(MergeTest, NumberThatMayBeTheSizeOfWhatStartUpAllocatesStays) {
  AddVariable("entries", FileAddr(0x3010));
  SetWords(0x3010, 100, 100, 200);
  next_.MapAnonymous(Addr(0x7f0000000000), 0x2000);
  base_.MapAnonymous(Addr(0x7f0000000000), 0x1000);
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 100u);
  EXPECT_EQ(plan.variables.bound, 1u);
}

TEST_F(MergeTest, BaseWithAnotherLibraryIsNone) {
  AddVariable("computed", FileAddr(0x3010));
  SetWords(0x3010, 100, 100, 200);
  Mapping library;
  library.range = *Range<Addr>::FromSize(Addr(0x7f0000000000), 0x1000);
  library.readable = true;
  library.inode = 9;
  library.path = "/lib/libother.so";
  base_.Map(library, FakeElfHeaders());
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), 100u);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("/lib/libother.so"), std::string::npos);
}

TEST_F(MergeTest, NewVariableTakesWhatTheNewVersionsStartUpGaveIt) {
  after_->AddVariable("added", FileAddr(0x3010), 8);
  next_.WriteWord(kNext + 0x3010, (kNext + 0x1400).value());
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, NewProgram(plan) + 0x3010), InNew(plan, 0x1400));
}

TEST_F(MergeTest, NewVariableThatPointsToTheRehearsalsHeapIsAProblem) {
  after_->AddVariable("added", FileAddr(0x3010), 8);
  next_.MapAnonymous(Addr(0x561130000000), 0x1000, "[heap]");
  next_.WriteWord(kNext + 0x3010, 0x561130000010);
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("`added`"), std::string::npos);
}

TEST_F(MergeTest, ReturnAddressNeedsIdenticalCode) {
  before_->AddFunction("loop", FileAddr(0x1100), 0x20);
  after_->AddFunction("loop", FileAddr(0x1400), 0x20);
  live_.WriteWord(kStackPointer + 0x20, (kLive + 0x1108).value());
  thread_.return_slots = {kStackPointer + 0x20};
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kStackPointer + 0x20), InNew(plan, 0x1408));
}

TEST_F(MergeTest, ChangedFunctionOnAStackIsAProblem) {
  before_->AddFunction("loop", FileAddr(0x1100), 0x20);
  after_->AddFunction("loop", FileAddr(0x1400), 0x28);
  live_.WriteWord(kStackPointer + 0x20, (kLive + 0x1108).value());
  thread_.return_slots = {kStackPointer + 0x20};
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("`loop` changed"), std::string::npos);
}

// Answers with one plan, whatever it is asked.
class FakePlanner : public FramePlanner {
 public:
  explicit FakePlanner(FramePlan plan) : plan_(std::move(plan)) {}
  const Result<FramePlan>& Plan(FileAddr) override { return plan_; }
  const FramePlan* PlanGoingOnAt(FileAddr) const override { return nullptr; }
  const std::vector<LiveLocal>& LocalsAt(FileAddr) override { return locals_; }
  bool MayReadPointer(FileAddr, FrameOffset) override { return true; }
  void PlanFunction(const Function&) override {}

 private:
  Result<FramePlan> plan_;
  std::vector<LiveLocal> locals_;
};

// A thread in a library's `wait`, called by the program's `loop`, which changed, called by a
// library.
//
//   kStackPointer         wait: 0x20 bytes, keeps rbx, returns to loop
//   kStackPointer + 0x20  loop: 0x40 bytes, keeps rbx, returns to the library
//   kStackPointer + 0x60  the library
class TakeOverTest : public MergeTest {
 protected:
  static constexpr Addr kLoopEnd = kStackPointer + 0x60;
  static constexpr Addr kLibrary{0x7f0000001000};
  static constexpr uint64_t kShift = 0x20;

  TakeOverTest() {
    before_->AddFunction("loop", FileAddr(0x1100), 0x20);
    after_->AddFunction("loop", FileAddr(0x1400), 0x28);
    plan_.function = "loop";
    plan_.new_return = FileAddr(0x1410);
    plan_.old_stack = -0x40;
    plan_.new_stack = -0x60;
    plan_.old_saved[kRbx] = -0x10;
    plan_.new_saved[kRbx] = -0x10;
    plan_.new_own = Bit(kRbx);
    Word(0x10, 77);                        // rbx of loop, which wait keeps
    Word(0x18, (kLive + 0x1108).value());  // into loop
    Word(0x28, 1234);                      // a variable of loop
    Word(0x50, 55);                        // rbx of the library, which loop keeps
    Word(0x58, kLibrary.value());          // into the library
    std::array<Addr, 6> in_loop = {}, in_library = {};
    in_loop[0] = kStackPointer + 0x10;
    in_library[0] = kStackPointer + 0x50;
    thread_.frames = {{Addr(0x7f0000002000), kStackPointer, {}},
                      {kLive + 0x1108, kStackPointer + 0x20, in_loop},
                      {kLibrary, kLoopEnd, in_library}};
    thread_.return_slots = {kStackPointer + 0x18, kStackPointer + 0x58};
  }

  void Word(uint64_t at, uint64_t value) { live_.WriteWord(kStackPointer + at, value); }

  MergePlan TakeOver() {
    frames_ = std::make_shared<FakePlanner>(plan_);
    return Merge();
  }

  FramePlan plan_;
};

TEST_F(TakeOverTest, TheInnerFrameMovesAndReturnsToTheSameCallOfTheNewFunction) {
  const MergePlan plan = TakeOver();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.rebuilt_frames, 1);
  ASSERT_EQ(plan.graft.processes[0].registers.size(), 1u);
  EXPECT_EQ(plan.graft.processes[0].registers[0].registers.rsp, kStackPointer.value() - kShift);
  EXPECT_EQ(Written(plan, kStackPointer + 0x18 - kShift), InNew(plan, 0x1410));
  EXPECT_EQ(Written(plan, kLoopEnd - 8), kLibrary.value());
}

TEST_F(TakeOverTest, RegistersAreKeptWhereTheNewCodeLooksForThem) {
  plan_.new_saved[kRbx] = -0x18;
  plan_.carried.push_back({"count",
                           8,
                           8,
                           {{Location::Kind::kRegister, kRbx, 0, 0}},
                           {{Location::Kind::kFrame, kNoRegister, -0x30, 0}},
                           true});
  plan_.computed.push_back({{kRbx, 0, 8}, {FlowValue::Kind::kProgram, 0x3010}});
  const MergePlan plan = TakeOver();
  EXPECT_EQ(Written(plan, kLoopEnd - 0x18), 55u);                                // the library's
  EXPECT_EQ(Written(plan, kLoopEnd - 0x30), 77u);                                // the variable
  EXPECT_EQ(Written(plan, kStackPointer + 0x10 - kShift), InNew(plan, 0x3010));  // loop's own
}

TEST_F(TakeOverTest, PointersFollowAVariableThatMoves) {
  plan_.carried.push_back({"state",
                           8,
                           8,
                           {{Location::Kind::kFrame, kNoRegister, -0x38, 0}},
                           {{Location::Kind::kFrame, kNoRegister, -0x50, 0}},
                           true});
  plan_.moved.push_back({"state", -0x38, -0x50, 8});
  live_.WriteWord(kHeap + 0x40, (kLoopEnd - 0x38).value());
  Word(0x08, (kLoopEnd - 0x34).value());
  thread_.registers.rsi = kStackPointer.value() + 8;
  const MergePlan plan = TakeOver();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kLoopEnd - 0x50), 1234u);
  EXPECT_EQ(Written(plan, kHeap + 0x40), (kLoopEnd - 0x50).value());
  EXPECT_EQ(Written(plan, kStackPointer + 0x08 - kShift), (kLoopEnd - 0x4c).value());
  EXPECT_EQ(plan.graft.processes[0].registers[0].registers.rsi, kStackPointer.value() + 8 - kShift);
}

TEST_F(TakeOverTest, APointerToAnObjectThatTheNewFrameDoesNotHaveIsAProblem) {
  plan_.gone.push_back({-0x38, -0x30});
  live_.WriteWord(kHeap + 0x40, (kLoopEnd - 0x34).value());
  const MergePlan plan = TakeOver();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("the frame of `loop`"), std::string::npos);
}

TEST_F(TakeOverTest, ANewVariableTakesWhatTheRehearsalHasThere) {
  plan_.modelled.push_back({{kNoRegister, -0x40, 8}, "variable `limit`"});
  constexpr Addr kNextStack(0x7ffe00000000);
  next_.MapAnonymous(kNextStack, 0x1000, "[stack]");
  next_.WriteWord(kNextStack + 0x400 - 0x40, 9);
  checkpoint::ThreadImage thread;
  thread.frames = {{Addr(0x7f0000002000), kNextStack + 0x380},
                   {kNext + 0x1410, kNextStack + 0x3a0},
                   {kLibrary, kNextStack + 0x400}};
  next_.AddThread(thread);
  const MergePlan plan = TakeOver();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(Written(plan, kLoopEnd - 0x40), 9u);
}

TEST_F(TakeOverTest, WithoutARehearsalAtTheSameCallANewVariableIsAProblem) {
  plan_.modelled.push_back({{kNoRegister, -0x40, 8}, "variable `limit`"});
  const MergePlan plan = TakeOver();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("variable `limit`"), std::string::npos);
}

TEST_F(TakeOverTest, AFrameThatIsNotAsItsCodeSaysIsAProblem) {
  plan_.old_stack = -0x50;
  const MergePlan plan = TakeOver();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("`loop`"), std::string::npos);
}

TEST_F(MergeTest, DeadWordsBelowTheStackPointerRefuseNothing) {
  before_->AddFunction("dropped", FileAddr(0x1100), 0x20);
  live_.WriteWord(kStackPointer - 0x200, (kLive + 0x1100).value());
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.pointers.shifted, 1u);
}

TEST_F(MergeTest, CalleeSavedRegistersFollow) {
  before_->AddVariable("cycle", FileAddr(0x3010), 8);
  after_->AddVariable("cycle", FileAddr(0x3800), 8);
  thread_.registers.rbx = (kLive + 0x3010).value();
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.graft.processes[0].registers.size(), 1u);
  EXPECT_EQ(plan.graft.processes[0].registers[0].registers.rbx, InNew(plan, 0x3800));
}

TEST_F(MergeTest, TheKernelsTablesFollow) {
  before_->AddFunction("on_signal", FileAddr(0x1100), 0x20);
  after_->AddFunction("on_signal", FileAddr(0x1400), 0x20);
  before_->AddVariable("listener", FileAddr(0x3010), 8);
  after_->AddVariable("listener", FileAddr(0x3020), 8);
  live_.AddSignalHandler({.signal = 15, .handler = kLive + 0x1100});
  live_.AddEpollEntry({.epoll_fd = 5, .fd = 6, .data = (kLive + 0x3010).value()});
  const MergePlan plan = Merge();
  const auto& graft = plan.graft.processes[0];
  ASSERT_EQ(graft.signal_handlers.size(), 1u);
  EXPECT_EQ(graft.signal_handlers[0].after.handler, Addr(InNew(plan, 0x1400)));
  ASSERT_EQ(graft.epoll.size(), 1u);
  EXPECT_EQ(graft.epoll[0].after.data, InNew(plan, 0x3020));
}

TEST_F(MergeTest, TimersFollow) {
  before_->AddVariable("job", FileAddr(0x3010), 8);
  after_->AddVariable("job", FileAddr(0x3020), 8);
  live_.AddTimer({.id = 4, .clock = CLOCK_MONOTONIC, .value = (kLive + 0x3010).value()});
  live_.AddTimer({.id = 5, .clock = CLOCK_MONOTONIC, .value = (kHeap + 0x10).value()});
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  const auto& graft = plan.graft.processes[0];
  ASSERT_EQ(graft.timers.size(), 1u);
  EXPECT_EQ(graft.timers[0].before.id, 4);
  EXPECT_EQ(graft.timers[0].after.id, 4);
  EXPECT_EQ(graft.timers[0].after.value, InNew(plan, 0x3020));
}

TEST_F(MergeTest, ATimerOfAThreadsOwnTimeIsAProblem) {
  before_->AddVariable("job", FileAddr(0x3010), 8);
  after_->AddVariable("job", FileAddr(0x3020), 8);
  live_.AddTimer({.id = 4, .clock = CLOCK_THREAD_CPUTIME_ID, .value = (kLive + 0x3010).value()});
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("timer 4"), std::string::npos);
}

TEST_F(MergeTest, AStackOfSignalHandlersFollowsWhereItHasRoom) {
  before_->AddVariable("stack", FileAddr(0x3010), 0x100);
  after_->AddVariable("stack", FileAddr(0x3200), 0x100);
  live_.AddSignalStack({.tid = 7, .begin = kLive + 0x3010, .size = 0x100});
  const MergePlan plan = Merge();
  EXPECT_TRUE(plan.problems.empty());
  ASSERT_EQ(plan.graft.processes[0].signal_stacks.size(), 1u);
  EXPECT_EQ(plan.graft.processes[0].signal_stacks[0].after.begin, Addr(InNew(plan, 0x3200)));
}

TEST_F(MergeTest, AStackThatAHandlerRunsOnIsAProblem) {
  before_->AddVariable("stack", FileAddr(0x3010), 0x100);
  after_->AddVariable("stack", FileAddr(0x3200), 0x100);
  live_.AddSignalStack({.tid = 7, .begin = kLive + 0x3010, .size = 0x100, .flags = SS_ONSTACK});
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_NE(plan.problems[0].find("a signal handler runs on it"), std::string::npos);
}

TEST_F(MergeTest, AStackThatTheNewVersionHasNoRoomForIsAProblem) {
  before_->AddVariable("stack", FileAddr(0x3010), 0x100);
  after_->AddVariable("stack", FileAddr(0x3200), 0x80);
  live_.AddSignalStack({.tid = 7, .begin = kLive + 0x3010, .size = 0x100});
  const MergePlan plan = Merge();
  ASSERT_FALSE(plan.problems.empty());
  EXPECT_NE(plan.problems[0].find("the stack for signal handlers of thread 7"), std::string::npos);
}

TEST_F(MergeTest, MangledPointersAreMangledAgain) {
  before_->AddFunction("at_exit", FileAddr(0x1100), 0x20);
  after_->AddFunction("at_exit", FileAddr(0x1400), 0x20);
  constexpr uint64_t kGuardValue = 0x1234567890abcdef;
  thread_.registers.fs_base = (kHeap + 0x1000).value();
  live_.WriteWord(kHeap + 0x1030, kGuardValue);
  const PointerGuard guard(kGuardValue);
  live_.WriteWord(kHeap + 0x40, guard.Mangle((kLive + 0x1100).value()));
  const MergePlan plan = Merge();
  EXPECT_EQ(Written(plan, kHeap + 0x40), guard.Mangle(InNew(plan, 0x1400)));
}

TEST_F(MergeTest, TheOldProgramIsUnmappedAndTheNewOneLiesElsewhere) {
  const MergePlan plan = Merge();
  ASSERT_EQ(plan.graft.processes[0].unmap.size(), 1u);
  EXPECT_EQ(plan.graft.processes[0].unmap[0].begin(), kLive);
  for (const auto& mapping : plan.graft.processes[0].mappings) {
    EXPECT_FALSE(mapping.range.Overlaps(plan.graft.processes[0].unmap[0]));
  }
}

}  // namespace
}  // namespace mcr::mutator
