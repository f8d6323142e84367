#include "checkpoint/criu/criu_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/cgroup_freezer.h"
#include "checkpoint/criu/criu_dump.h"
#include "checkpoint/criu/find_criu.h"
#include "checkpoint/live_image.h"
#include "tests/targets/target_process.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;

std::vector<std::string> FileNames(const ImageDirectory& directory) {
  std::vector<std::string> names;
  DIR* entries = fdopendir(openat(directory.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_type == DT_REG) names.push_back(entry->d_name);
  }
  closedir(entries);
  return names;
}

void WriteFile(const ImageDirectory& directory, const std::string& name, std::string_view bytes) {
  const OwnedFd file(
      openat(directory.fd(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  ASSERT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

// A checkpoint of a small process, and what the process itself looked like.
class CriuImageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string criu = FindCriuForTest();
    if (criu.empty()) GTEST_SKIP() << "no criu: run third_party/criu/build, or set MCR_CRIU";
    target_ = TargetProcess::Start("graft/graftee");
    target_->ReadLine();
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    const auto cgroup = FrozenCgroup::Create({target_->pid()}).value();
    const CriuDumpOptions options{
        .criu = criu, .root = target_->pid(), .freeze_cgroup = cgroup->directory()};
    const auto dump = CriuDump::Start(options, directory_).value();
    auto group = tracer::TaskGroup::Attach(target_->pid()).value();
    ASSERT_TRUE(group.InterruptAll(std::chrono::milliseconds(2000)));
    auto& process = *group.Find(target_->pid());
    auto registers = process.main().GetRegisters().value();
    registers.orig_rax = ~0ull;
    ASSERT_TRUE(process.main().SetRegisters(registers));
    live_ = LiveImage::Create(process).value();
    live_->SetAnswers(AskProcess(process).value());
    ASSERT_TRUE(cgroup->Freeze());
    ASSERT_TRUE(group.DetachAll());
    ASSERT_TRUE(dump->Begin());
    const auto stats = dump->Finish();
    ASSERT_TRUE(stats) << stats.error().Line();
    // The process stays as it is: it blocks again as soon as it is thawed.
  }

  std::unique_ptr<TargetProcess> target_;
  ImageDirectory directory_ = ImageDirectory::CreatePrivate().value();
  std::unique_ptr<LiveImage> live_;
};

TEST_F(CriuImageTest, ShowsWhatTheLiveImageShowed) {
  const auto images = CriuImage::OpenAll(directory_);
  ASSERT_TRUE(images) << images.error().Line();
  ASSERT_EQ(images->size(), 1u);
  const CriuImage& image = *images->front();
  EXPECT_EQ(image.pid(), live_->pid());
  ASSERT_EQ(image.threads().size(), 1u);
  EXPECT_EQ(std::memcmp(&image.threads()[0].registers, &live_->threads()[0].registers,
                        sizeof(user_regs_struct)),
            0);
  ASSERT_EQ(image.signal_handlers().size(), 1u);
  EXPECT_EQ(image.signal_handlers()[0].signal, live_->signal_handlers()[0].signal);
  EXPECT_EQ(image.signal_handlers()[0].handler, live_->signal_handlers()[0].handler);
  EXPECT_EQ(image.signal_handlers()[0].restorer, live_->signal_handlers()[0].restorer);
  ASSERT_EQ(image.epoll_entries().size(), 1u);
  EXPECT_EQ(image.epoll_entries()[0].epoll_fd, live_->epoll_entries()[0].epoll_fd);
  EXPECT_EQ(image.epoll_entries()[0].data, live_->epoll_entries()[0].data);
  ASSERT_EQ(image.timers().size(), 1u);
  EXPECT_EQ(image.timers()[0].id, live_->timers()[0].id);
  EXPECT_EQ(image.timers()[0].clock, live_->timers()[0].clock);
  EXPECT_EQ(image.timers()[0].notify, live_->timers()[0].notify);
  EXPECT_EQ(image.timers()[0].signal, live_->timers()[0].signal);
  EXPECT_EQ(image.timers()[0].value, live_->timers()[0].value);
  ASSERT_EQ(image.signal_stacks().size(), 1u);
  EXPECT_EQ(image.signal_stacks()[0].tid, live_->signal_stacks()[0].tid);
  EXPECT_EQ(image.signal_stacks()[0].begin, live_->signal_stacks()[0].begin);
  EXPECT_EQ(image.signal_stacks()[0].size, live_->signal_stacks()[0].size);
  EXPECT_EQ(image.layout().brk, live_->layout().brk);
  EXPECT_EQ(image.layout().arg_start, live_->layout().arg_start);
}

TEST_F(CriuImageTest, HasTheSameMemory) {
  const auto images = CriuImage::OpenAll(directory_).value();
  for (const Mapping& expected : live_->mappings()) {
    if (expected.path.starts_with("[v")) continue;
    const Mapping* mapping = FindMapping(images[0]->mappings(), expected.range.begin());
    ASSERT_NE(mapping, nullptr) << Hex(expected.range.begin()) << expected.path;
    EXPECT_EQ(mapping->path, expected.path);
    EXPECT_EQ(mapping->writable, expected.writable);
    if (!expected.writable) continue;
    const auto ranges = live_->PopulatedRanges(expected.range).value();
    for (const Range<Addr>& range : ranges) {
      std::vector<std::byte> bytes(range.size());
      const Status read = images[0]->Read(range.begin(), bytes);
      ASSERT_TRUE(read) << read.error().Line();
      std::vector<std::byte> now(range.size());
      ASSERT_TRUE(live_->Read(range.begin(), now));
      // Thawed since, the process has used its stack and its C library.
      if (mapping->shared || mapping->path == "[heap]") {
        EXPECT_TRUE(bytes == now) << mapping->path;
      }
      EXPECT_EQ(images[0]->PopulatedRanges(range).value().size(), 1u) << Hex(range.begin());
    }
  }
}

TEST_F(CriuImageTest, ADamagedCheckpointIsAnErrorThatNamesTheFile) {
  const std::vector<std::string> names = FileNames(directory_);
  for (const std::string& damaged : names) {
    if (!damaged.ends_with(".img")) continue;
    const ImageDirectory copy = ImageDirectory::CreatePrivate().value();
    for (const std::string& name : names) {
      const std::string bytes = directory_.ReadFile(name).value();
      WriteFile(copy, name, name == damaged ? bytes.substr(0, bytes.size() / 2) : bytes);
    }
    const auto images = CriuImage::OpenAll(copy);
    if (!images.has_value()) {
      EXPECT_NE(images.error().Line().find(".img"), std::string::npos);
    } else {
      // One that an update does not read.
      EXPECT_FALSE(damaged.starts_with("core") || damaged.starts_with("mm") ||
                   damaged.starts_with("pages"))
          << damaged;
    }
  }
}

}  // namespace
}  // namespace mcr::checkpoint
