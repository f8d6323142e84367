#include "checkpoint/graft/executor.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/undo.h"
#include "checkpoint/graft/undo_log.h"
#include "checkpoint/live_image.h"
#include "tests/targets/target_process.h"
#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;
using tracer::TaskGroup;

constexpr char kNewFile[] = "/usr/bin/true";
constexpr uint64_t kFreeAddress = 0x100000000;
constexpr uint64_t kPage = 4096;

// Everything of a process that a graft could disturb.
struct Snapshot {
  std::vector<std::string> mappings;
  std::map<uint64_t, std::vector<std::byte>> memory;
  std::vector<std::string> kernel;
};

class ExecutorTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments = {}) {
    // The kernel writes the number of the CPU into the memory of a process that moves to another
    // (rseq).
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(sched_getcpu(), &cpu);
    ASSERT_EQ(sched_setaffinity(0, sizeof(cpu), &cpu), 0);
    target_ = TargetProcess::Start("graft/graftee", arguments);
    std::istringstream line(target_->ReadLine());
    uint64_t value, constant, handler;
    ASSERT_TRUE(line >> value >> constant >> handler);
    value_ = Addr(value);
    constant_ = Addr(constant);
    second_handler_ = Addr(handler);
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    group_ = std::make_unique<TaskGroup>(TaskGroup::Attach(target_->pid()).value());
    ASSERT_TRUE(group_->InterruptAll(milliseconds(2000)));
  }

  std::unique_ptr<LiveImage> Image() {
    tracer::TracedProcess& process = *group_->Find(target_->pid());
    auto image = LiveImage::Create(process).value();
    image->SetAnswers(AskProcess(process).value());
    return image;
  }

  Snapshot Take() {
    const auto image = Image();
    Snapshot snapshot;
    for (const Mapping& mapping : image->mappings()) {
      const uint64_t begin = mapping.range.begin().value();
      snapshot.mappings.push_back(Hex(begin) + "+" + Hex(mapping.range.size()) + mapping.path +
                                  (mapping.writable ? "w" : "-"));
      if (!mapping.readable || mapping.path.starts_with("[v")) continue;
      std::vector<std::byte> bytes(mapping.range.size());
      EXPECT_TRUE(image->Read(mapping.range.begin(), bytes));
      snapshot.memory[begin] = std::move(bytes);
    }
    for (const SignalHandler& handler : image->signal_handlers()) {
      snapshot.kernel.push_back(std::to_string(handler.signal) + Hex(handler.handler));
    }
    for (const EpollEntry& entry : image->epoll_entries()) {
      snapshot.kernel.push_back(std::to_string(entry.fd) + Hex(entry.data));
    }
    for (const Timer& timer : image->timers()) {
      snapshot.kernel.push_back("timer " + std::to_string(timer.id) + Hex(timer.value));
    }
    for (const SignalStack& stack : image->signal_stacks()) {
      snapshot.kernel.push_back("stack " + Hex(stack.begin) + "+" + Hex(stack.size));
    }
    const user_regs_struct& registers = image->threads().front().registers;
    snapshot.kernel.push_back(
        std::string(reinterpret_cast<const char*>(&registers), sizeof registers));
    const auto descriptors = tracer::ProcFs().Descriptors(target_->pid()).value();
    for (const int fd : descriptors) {
      snapshot.kernel.push_back("fd " + std::to_string(fd));
    }
    return snapshot;
  }

  void ExpectSame(const Snapshot& before, const Snapshot& after) {
    EXPECT_EQ(before.mappings, after.mappings);
    EXPECT_EQ(before.kernel, after.kernel);
    for (const auto& [begin, bytes] : before.memory) {
      const auto other = after.memory.find(begin);
      ASSERT_NE(other, after.memory.end());
      for (size_t i = 0; i < bytes.size(); ++i) {
        ASSERT_EQ(bytes[i], other->second[i]) << "at " << Hex(begin + i);
      }
    }
  }

  // Maps two pages, writes a word into old data, into old read-only data, and into the new mapping,
  // and changes what the kernel holds.
  GraftPlan Plan() {
    const auto image = Image();
    ProcessGraft graft;
    graft.pid = target_->pid();
    graft.mappings = {
        {.range = *Range<Addr>::FromSize(Addr(kFreeAddress), kPage), .protection = PROT_READ},
        {.range = *Range<Addr>::FromSize(Addr(kFreeAddress + kPage), kPage),
         .protection = PROT_READ | PROT_WRITE,
         .anonymous = true}};
    graft.writes.AddWord(value_, 111);
    graft.writes.AddWord(constant_, 222);
    graft.writes.AddWord(Addr(kFreeAddress + 64), 333);
    for (const SignalHandler& handler : image->signal_handlers()) {
      SignalHandler changed = handler;
      changed.handler = second_handler_;
      graft.signal_handlers.push_back({handler, changed});
    }
    for (const EpollEntry& entry : image->epoll_entries()) {
      EpollEntry changed = entry;
      changed.data = 0x2222;
      graft.epoll.push_back({entry, changed});
    }
    for (const Timer& timer : image->timers()) {
      Timer changed = timer;
      changed.value = 0x3333;
      graft.timers.push_back({timer, changed});
    }
    for (const SignalStack& stack : image->signal_stacks()) {
      SignalStack changed = stack;
      changed.begin = stack.begin + kPage;
      changed.size = stack.size - kPage;
      graft.signal_stacks.push_back({stack, changed});
    }
    user_regs_struct registers = image->threads().front().registers;
    registers.r15 += 8;
    registers.r15 -= 8;
    graft.registers.push_back({graft.pid, registers});
    GraftPlan plan;
    plan.new_files = {kNewFile};
    plan.processes.push_back(std::move(graft));
    return plan;
  }

  Result<std::unique_ptr<Graft>> Apply(TaskGroup& group, const GraftPlan& plan) {
    for (const tracer::TracedProcess& process : group.processes()) {
      MCR_ASSIGN(const Mappings mappings, tracer::ProcFs().ReadMappings(process.pid));
      MCR_ASSIGN(const std::vector<int> descriptors, tracer::ProcFs().Descriptors(process.pid));
      MCR_TRY(RecordProcess(log_, process, mappings, descriptors));
    }
    GraftPreparation preparation;
    MCR_TRY(preparation.OpenFiles(plan));
    MCR_TRY(preparation.AddPatch(plan.processes.front()));
    return Graft::Apply(group, plan, std::move(preparation), log_);
  }

  std::string Ask() {
    target_->Write("x");
    return target_->ReadLine();
  }

  UndoLog log_ = UndoLog::CreateAnonymous().value();
  std::unique_ptr<TargetProcess> target_;
  std::unique_ptr<TaskGroup> group_;
  Addr value_, constant_, second_handler_;
};

TEST_F(ExecutorTest, AnUndoneGraftLeavesTheProcessByteIdentical) {
  Start();
  const Snapshot before = Take();
  const GraftPlan plan = Plan();
  auto graft = Apply(*group_, plan);
  ASSERT_TRUE(graft) << graft.error().Line();
  const Snapshot applied = Take();
  EXPECT_NE(before.mappings, applied.mappings);
  EXPECT_NE(before.kernel, applied.kernel);
  EXPECT_FALSE(before.memory == applied.memory);
  const Status undone = (*graft)->Undo();
  EXPECT_TRUE(undone) << undone.error().Line();
  ExpectSame(before, Take());
  ASSERT_TRUE(group_->DetachAll());
  EXPECT_TRUE(Ask().starts_with("11 22 a 1111"));
}

TEST_F(ExecutorTest, AGraftThatIsDestroyedUncommittedIsUndone) {
  Start();
  const Snapshot before = Take();
  const GraftPlan plan = Plan();
  ASSERT_TRUE(Apply(*group_, plan).has_value());
  ExpectSame(before, Take());
}

TEST_F(ExecutorTest, AGraftThatFailsHalfwayLeavesNothing) {
  Start();
  const Snapshot before = Take();
  GraftPlan plan = Plan();
  // The second mapping lies on the first.
  plan.processes[0].mappings[1].range = plan.processes[0].mappings[0].range;
  const auto graft = Apply(*group_, plan);
  ASSERT_FALSE(graft.has_value());
  EXPECT_EQ(graft.error().os_error, EEXIST);
  ExpectSame(before, Take());
}

TEST_F(ExecutorTest, AWriteToUnmappedMemoryLeavesNothing) {
  Start();
  const Snapshot before = Take();
  GraftPlan plan = Plan();
  plan.processes[0].writes.AddWord(Addr(kFreeAddress + 16 * kPage), 1);
  EXPECT_FALSE(Apply(*group_, plan).has_value());
  ExpectSame(before, Take());
}

TEST_F(ExecutorTest, ACommittedGraftIsWhatTheProcessSees) {
  Start();
  GraftPlan plan = Plan();
  plan.processes[0].unmap = {*Range<Addr>::FromSize(Addr(kFreeAddress + kPage), kPage)};
  auto graft = Apply(*group_, plan);
  ASSERT_TRUE(graft) << graft.error().Line();
  EXPECT_EQ(Image()->ReadValue<uint64_t>(Addr(kFreeAddress + 64)).value(), 333u);
  ASSERT_EQ(Image()->timers().size(), 1u);
  EXPECT_EQ(Image()->timers()[0].id, plan.processes[0].timers[0].before.id);
  EXPECT_EQ(Image()->timers()[0].value, 0x3333u);
  EXPECT_EQ(Image()->signal_stacks()[0].size, (1u << 16) - kPage);
  ASSERT_TRUE((*graft)->PrepareCommit());
  (*graft)->Commit();
  EXPECT_TRUE((*graft)->warnings().empty()) << (*graft)->warnings().front();
  EXPECT_FALSE(Image()->ReadValue<uint64_t>(Addr(kFreeAddress + kPage)).has_value());
  ASSERT_TRUE(group_->DetachAll());
  // The compiler knows the value of the constant unless it is told to load it, which it was.
  EXPECT_TRUE(Ask().starts_with("111 222 b 2222"));
}

// Root may name any executable; a server that has dropped its privileges may not, and has a child
// in its own user namespace do so.
class ExecutableTest : public ExecutorTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(ExecutableTest, CommitNamesTheNewFileAndChangesNothingElse) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to start a process of another user";
  Start({GetParam()});
  const std::string status = tracer::ProcFs().ReadText(target_->pid(), "status").value();
  struct stat owner_before, owner_after;
  const std::string directory = tracer::ProcFs().Path(target_->pid(), "");
  ASSERT_EQ(stat(directory.c_str(), &owner_before), 0);

  GraftPlan plan;
  plan.new_files = {kNewFile};
  plan.processes.emplace_back();
  plan.processes[0].pid = target_->pid();
  plan.processes[0].layout = Image()->layout();
  plan.processes[0].layout.end_data = plan.processes[0].layout.end_data - 8;
  auto graft = Apply(*group_, plan);
  ASSERT_TRUE(graft) << graft.error().Line();
  ASSERT_TRUE((*graft)->PrepareCommit());
  (*graft)->Commit();
  EXPECT_TRUE((*graft)->warnings().empty()) << (*graft)->warnings().front();

  EXPECT_EQ(tracer::ProcFs().ReadLink(target_->pid(), "exe").value(), kNewFile);
  EXPECT_EQ(Image()->layout().end_data, plan.processes[0].layout.end_data);
  EXPECT_EQ(Image()->layout().auxv, plan.processes[0].layout.auxv);
  ASSERT_EQ(stat(directory.c_str(), &owner_after), 0);
  EXPECT_EQ(owner_before.st_uid, owner_after.st_uid);
  EXPECT_TRUE(tracer::ProcFs().Descendants(target_->pid()).value().empty());
  const auto credentials = [](const std::string& text) {
    return text.substr(text.find("Uid:"), text.find("FDSize:") - text.find("Uid:")) +
           text.substr(text.find("CapInh:"), text.find("Seccomp:") - text.find("CapInh:"));
  };
  EXPECT_EQ(credentials(status),
            credentials(tracer::ProcFs().ReadText(target_->pid(), "status").value()));
  ASSERT_TRUE(group_->DetachAll());
  EXPECT_EQ(Ask(), std::string("11 22 a 1111 timer 1 stack 65536 dumpable ") +
                       (GetParam() == "0" ? "1" : "0"));
}

INSTANTIATE_TEST_SUITE_P(Users, ExecutableTest, ::testing::Values("0", "65534"));

}  // namespace
}  // namespace mcr::checkpoint
