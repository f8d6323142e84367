#include "mcr/update/paused_server.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "mcr/base/fault.h"
#include "mcr/base/mapping.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/range.h"
#include "mutator/graph/loaded_modules.h"
#include "tracer/breakpoint_probe.h"
#include "tracer/page_cache.h"
#include "tracer/quiesce/restart.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/side_work.h"

namespace mcr::update {
namespace {

std::vector<pid_t> Pids(const tracer::TaskGroup& tasks) {
  std::vector<pid_t> pids;
  for (const tracer::TracedProcess& process : tasks.processes()) pids.push_back(process.pid);
  return pids;
}

// What is forked by a process inside is inside; what was forked by one before that was moved is
// not, and would run on while the others are frozen. Each scan finds those of the one before.
constexpr int kMostScans = 50;

constexpr std::chrono::milliseconds kInterruptTimeout{1000};

// CRIU dumps whole trees, so that what executes other programs is frozen with the server.
Status MoveAllInside(checkpoint::FrozenCgroup& cgroup, pid_t root) {
  const std::string name = cgroup.directory().substr(cgroup.directory().rfind('/'));
  const tracer::ProcFs procfs;
  int quiet_scans = 0;  // one may miss a process beside one that ends (fs/proc/array.c)
  for (int scan = 0; quiet_scans < 2; ++scan) {
    if (scan == kMostScans) {
      return Fail("processes are started too fast to catch them all", "PID " + std::to_string(root),
                  "try again");
    }
    MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Descendants(root));
    ++quiet_scans;
    for (pid_t pid : pids) {
      const auto cgroups = procfs.ReadText(pid, "cgroup");
      if (!cgroups || cgroups->find(name) != std::string::npos) continue;
      MCR_TRY(cgroup.Add(pid));
      quiet_scans = 0;
    }
  }
  return {};
}

void Touch(const Range<Addr>& memory) {
  madvise(reinterpret_cast<void*>(memory.begin().value()), memory.size(), MADV_POPULATE_WRITE);
  // Where page tables are shadowed, that is known to the kernel alone.
  constexpr uint64_t kPage = 4096;
  for (Addr at = memory.begin(); at < memory.end(); at = at + kPage) {
    auto* byte = reinterpret_cast<volatile char*>(at.value());
    *byte = *byte;
  }
}

// After a fork every page that is written to first is copied, or at least a fault: better now than
// in the pause. The allocator takes nothing from elsewhere (mcr/cli/main.cc). What was there when
// the worker was forked is a mapping of its own, before the rest.
void TouchOwnMemory() {
  const auto mappings = tracer::ProcFs().ReadMappings(getpid());
  if (!mappings) return;
  for (const Mapping& mapping : *mappings) {
    if (mapping.path == "[heap]") Touch(mapping.range);
  }
}

// Of a process with several threads, the table of descriptors only grows when no processor uses it
// any more (fs/file.c, synchronize_rcu): ten milliseconds and more, each time.
void GrowDescriptorTable() {
  constexpr rlim_t kMost = 4096;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const OwnedFd any(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto highest = static_cast<int>(std::min(limit.rlim_cur, kMost)) - 1;
  const OwnedFd grown(fcntl(any.get(), F_DUPFD_CLOEXEC, highest));
}

// From a stop that nothing was wanted of but the moment.
Status LetRun(tracer::TaskGroup& tasks) {
  for (tracer::TracedProcess& process : tasks.processes()) {
    for (const auto& task : process.tasks) {
      if (task->state() == tracer::RunState::kStopped) MCR_TRY(tracer::HideStop(*task));
    }
  }
  return tasks.ContinueAll();
}

Result<tracer::TaskGroup> AttachTo(const Inspection& server) {
  return tracer::TaskGroup::Attach(server.pids.front(), {.root_only = server.main_only});
}

}  // namespace

Result<std::unique_ptr<PausedServer>> PausedServer::Prepare(const Inspection& server,
                                                            const Options& options,
                                                            const cpu_set_t& helpers) {
  std::unique_ptr<PausedServer> paused(new PausedServer(server, options));
  paused->helpers_ = helpers;
  MCR_ASSIGN(paused->cgroup_, checkpoint::FrozenCgroup::Create({server.pids.front()}));
  MCR_TRY(MoveAllInside(*paused->cgroup_, server.pids.front()));
  MCR_TRY(paused->RecordCgroup());
  MCR_TRY(paused->PrepareCheckpoint());
  paused->breakpoints_work_ = tracer::BreakpointsWork();
  TouchOwnMemory();
  GrowDescriptorTable();
  return paused;
}

Status PausedServer::Attach() {
  MCR_ASSIGN(tracer::TaskGroup tasks, AttachTo(server_));
  tasks_.emplace(std::move(tasks));
  MCR_TRY(FaultPoint(Fault::kAttach));
  MCR_TRY(PrepareQuiescer());
  return MakeWorkspaces();
}

Status PausedServer::RecordCgroup() {
  MCR_TRY(undo_log_.Append(checkpoint::UndoKind::kCgroup, 0,
                           {std::as_bytes(std::span(cgroup_->directory()))}));
  for (const auto& [pid, directory] : cgroup_->origins()) {
    MCR_TRY(undo_log_.Append(checkpoint::UndoKind::kOrigin, pid,
                             {std::as_bytes(std::span(directory))}));
  }
  return {};
}

PausedServer::~PausedServer() {
  PutBack();
  if (paused_) (void)Resume();
  if (!workspaces_.empty()) RemoveLeftWorkspaces();
}

void PausedServer::PutBack() {
  if (!detached_.empty()) {
    dump_.reset();  // CRIU puts its tasks back first
    (void)Reattach();
  }
  if (!paused_) return;
  for (const auto& twin : twins_) {
    if (written_) (void)twin->Restore();
  }
  (void)RemoveWorkspaces();
}

// The tasks stand still for a moment. Where there is no memory for a workspace, the pause does
// without.
Status PausedServer::MakeWorkspaces() {
  MCR_TRY(tasks_->InterruptAll(kInterruptTimeout));
  MCR_TRY(RecordAndHold(*tasks_, undo_log_, helpers_));
  std::vector<std::pair<pid_t, tracer::Registers>> seen;
  for (tracer::TracedProcess& process : tasks_->processes()) {
    if (tracer::Workspace::MakeIn(process)) workspaces_.emplace(process.pid, process.workspace);
    for (const auto& task : process.tasks) {
      if (const auto registers = task->GetRegisters()) seen.emplace_back(process.pid, *registers);
    }
  }
  MCR_TRY(LetGo(*tasks_, undo_log_));
  MCR_TRY(LetRun(*tasks_));
  for (const auto& [pid, registers] : seen) quiescer_->LookAhead(pid, registers);
  return {};
}

Status PausedServer::RemoveWorkspaces() {
  for (tracer::TracedProcess& process : tasks_->processes()) {
    MCR_TRY(tracer::Workspace::RemoveFrom(process));
    workspaces_.erase(process.pid);
  }
  return {};
}

// Of an update that has ended before, or while CRIU had the tasks.
void PausedServer::RemoveLeftWorkspaces() {
  dump_.reset();
  (void)cgroup_->Thaw();
  if (tasks_->processes().empty()) {
    auto tasks = AttachTo(server_);
    if (!tasks) return;
    tasks_.emplace(*std::move(tasks));
  }
  if (!tasks_->InterruptAll(kInterruptTimeout)) return;
  for (tracer::TracedProcess& process : tasks_->processes()) {
    const auto left = workspaces_.find(process.pid);
    if (left != workspaces_.end()) process.workspace = left->second;
  }
  (void)RemoveWorkspaces();
  (void)LetRun(*tasks_);
}

Status PausedServer::PrepareQuiescer() {
  for (pid_t pid : Pids(*tasks_)) LearnFunctions(pid);
  tracer::QuiesceOptions quiesce;
  quiesce.deadline = options_.timeout;
  quiesce.restarts_are_forgotten = UsesCriu(server_.checkpoint);
  quiesce.breakpoints = breakpoints_work_;
  quiesce.function_name = [this](pid_t pid, Addr instruction) {
    return FunctionAt(pid, instruction);
  };
  MCR_ASSIGN(quiescer_, tracer::Quiescer::Create(server_.profile ? &*server_.profile : nullptr,
                                                 std::move(quiesce)));
  return quiescer_->Prepare(*tasks_);
}

// Processes that have ended meanwhile have no functions.
const FunctionNames& PausedServer::LearnFunctions(pid_t pid) {
  const auto image = checkpoint::LiveImage::CreateRunning(pid);
  const auto modules = image ? mutator::LoadedModules::Find(**image) : mutator::LoadedModules();
  return functions_.insert_or_assign(pid, FunctionNames(modules, known_files_)).first->second;
}

std::string PausedServer::FunctionAt(pid_t pid, Addr instruction) {
  const auto known = functions_.find(pid);
  // A process that was forked since, or that has executed the program anew.
  if (known == functions_.end() || !known->second.HasModule(instruction)) {
    return LearnFunctions(pid).At(instruction);
  }
  return known->second.At(instruction);
}

std::string PausedServer::CallerOf(const tracer::QuiescentThread& thread) {
  for (const tracer::Frame& frame : thread.stack) {
    std::string name = FunctionAt(thread.pid, frame.instruction);
    if (!name.empty()) return name;
  }
  return "";
}

Status PausedServer::PrepareCheckpoint() {
  if (UsesTwin(server_.checkpoint)) {
    for (const pid_t pid : server_.pids) {
      const Status possible = checkpoint::Twin::Check(pid);
      if (!possible && possible.error().os_error == ESRCH) continue;  // it has ended meanwhile
      MCR_TRY(possible);
    }
  }
  if (!UsesCriu(server_.checkpoint)) return {};
  MCR_ASSIGN(checkpoint::ImageDirectory directory, checkpoint::ImageDirectory::CreatePrivate());
  directory_.emplace(std::move(directory));
  checkpoint::CriuDumpOptions dump;
  dump.criu = server_.criu;
  dump.root = server_.pids.front();
  dump.freeze_cgroup = cgroup_->directory();
  dump.processors = helpers_;
  MCR_ASSIGN(dump_, checkpoint::CriuDump::Start(dump, *directory_));
  return {};
}

Status PausedServer::Quiesce() {
  const auto began = std::chrono::steady_clock::now();
  MCR_TRY(undo_log_.Append(checkpoint::UndoKind::kPause));
  MCR_ASSIGN(threads_, quiescer_->Quiesce(*tasks_));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  quiescence_ms_ = took.count();
  paused_ = true;
  return TakeImages();
}

// First what only the processes know, then what the kernel shows of them: of thousands of
// connections that takes it a while, in which no task gets the processor.
Status PausedServer::TakeImages() {
  MCR_ASSIGN(descriptors_, RecordAndHold(*tasks_, undo_log_, helpers_));
  for (tracer::TracedProcess& process : tasks_->processes()) {
    // Born since.
    if (process.workspace == nullptr && tracer::Workspace::MakeIn(process)) {
      workspaces_.emplace(process.pid, process.workspace);
    }
  }
  struct Known {
    checkpoint::Answers answers;
    std::vector<checkpoint::ThreadImage> threads;
  };
  std::vector<tracer::TracedProcess>& processes = tasks_->processes();
  std::vector<Known> known(processes.size());
  for (size_t i = 0; i < processes.size(); ++i) {
    MCR_ASSIGN(known[i].answers, checkpoint::AskProcess(processes[i]));
    MCR_ASSIGN(known[i].threads, checkpoint::ReadThreads(processes[i]));
  }
  std::vector<std::unique_ptr<checkpoint::LiveImage>> images(processes.size());
  const auto file_pages = std::make_shared<tracer::FilePages>();
  tracer::SideWork reading(helpers_);
  for (size_t i = 0; i < processes.size(); ++i) {
    reading.Add([&, i]() -> Status {
      Known& of = known[i];
      MCR_ASSIGN(images[i],
                 checkpoint::LiveImage::CreateStopped(processes[i].pid, std::move(of.threads),
                                                      of.answers.epoll_sets, file_pages));
      images[i]->SetAnswers(std::move(of.answers));
      return {};
    });
  }
  MCR_TRY(reading.Finish());
  images_ = std::move(images);
  for (const auto& image : images_) TakeStacks(*image);
  return {};
}

void PausedServer::TakeStacks(checkpoint::LiveImage& image) {
  StackNames& names = stacks_.emplace_back();
  for (const tracer::QuiescentThread& thread : threads_) {
    if (thread.pid != image.pid()) continue;
    image.SetStack(thread.tid, thread.stack);
    if (thread.tid != image.pid()) continue;
    for (const tracer::Frame& frame : thread.stack) {
      std::string name = FunctionAt(image.pid(), frame.instruction);
      if (!name.empty()) names.push_back(std::move(name));
    }
  }
}

Status PausedServer::BeginCheckpoint() {
  return UsesCriu(server_.checkpoint) ? BeginDump() : Status();
}

Result<double> PausedServer::TakeCheckpoint() {
  double frozen_ms = 0;
  if (UsesCriu(server_.checkpoint)) {
    MCR_ASSIGN(frozen_ms, FinishDump());
  }
  // Not before: CRIU would dump the twins, too.
  if (UsesTwin(server_.checkpoint)) MCR_TRY(ForkTwins());
  return frozen_ms;
}

Status PausedServer::Reattach() {
  MCR_ASSIGN(tracer::TaskGroup tasks, tracer::TaskGroup::Reattach(detached_));
  detached_.clear();
  tasks_.emplace(std::move(tasks));
  for (tracer::TracedProcess& process : tasks_->processes()) {
    const auto workspace = workspaces_.find(process.pid);
    if (workspace != workspaces_.end()) process.workspace = workspace->second;
  }
  return cgroup_->Thaw();
}

Status PausedServer::BeginDump() {
  // Not as stopped ones, which CRIU would take down in its images and wake up.
  MCR_TRY(tasks_->Release());
  // Frozen first, let go second: no task gets to run an instruction in between.
  MCR_TRY(cgroup_->Freeze());
  detached_ = Pids(*tasks_);
  MCR_TRY(tasks_->DetachAll());
  return dump_->Begin();
}

Result<double> PausedServer::FinishDump() {
  const auto stats = dump_->Finish();
  if (!stats && !server_.twins_will_do) return tl::make_unexpected(stats.error());
  MCR_TRY(Reattach());
  MCR_TRY(tasks_->Hold());
  if (!stats) {
    warnings_.push_back("the checkpoint is a copy on write: " + stats.error().Line());
    if (!UsesTwin(server_.checkpoint)) MCR_TRY(ForkTwins());
    return 0;
  }
  constexpr double kMicrosecondsPerMillisecond = 1000;
  return stats->frozen_time() / kMicrosecondsPerMillisecond;
}

Status PausedServer::PrepareToRun() {
  paused_ = false;
  (void)FaultPoint(Fault::kResume);
  const Status released = tasks_->Release();
  const Status interruptible = tracer::RestoreInterruptibility(*tasks_);
  return released ? interruptible : released;
}

Status PausedServer::Resume() {
  const Status prepared = PrepareToRun();
  MCR_TRY(tasks_->DetachAll());
  return prepared;
}

Status PausedServer::ResumeTraced() {
  const Status prepared = PrepareToRun();
  for (tracer::TracedProcess& process : tasks_->processes()) {
    for (const auto& task : process.tasks) (void)task->SuspendSeccomp(false);
  }
  MCR_TRY(tasks_->ContinueAll());
  return prepared;
}

Status PausedServer::ForkTwins() {
  for (tracer::TracedProcess& process : tasks_->processes()) {
    MCR_TRY(checkpoint::Twin::Check(process.pid));
    MCR_ASSIGN(auto twin, checkpoint::Twin::Fork(process));
    twins_.push_back(std::move(twin));
  }
  return {};
}

}  // namespace mcr::update
