#include "mcr/profile/observer.h"

#include <sys/syscall.h>

#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "checkpoint/live_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/system_call.h"
#include "mcr/update/function_names.h"
#include "mutator/graph/loaded_modules.h"
#include "tracer/attachable.h"
#include "tracer/quiesce/restart.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/syscall_site.h"

namespace mcr::profile {
namespace {

constexpr std::chrono::milliseconds kInterruptTimeout{500};

// The stack pointers of the threads that sleep in a system call, by thread. One that is interrupted
// in a call that works for long (sendfile) looks as if it waited there.
std::map<pid_t, uint64_t> FindAsleep(const tracer::TaskGroup& group) {
  std::map<pid_t, uint64_t> asleep;
  for (const tracer::TracedProcess& process : group.processes()) {
    for (const auto& task : process.tasks) {
      const auto call = tracer::ProcFs().ReadSystemCall(process.pid, task->tid());
      if (!call || call->running || call->number < 0) continue;
      asleep[task->tid()] = call->stack_pointer.value();
    }
  }
  return asleep;
}

// What is needed of one process to name the functions on its stacks.
class StackReader {
 public:
  static Result<StackReader> Create(pid_t pid, const Mappings& mappings,
                                    const mutator::LoadedModules& loaded,
                                    const update::KnownFile& program, tracer::Unwinder& unwinder) {
    MCR_ASSIGN(tracer::LiveMemory memory, tracer::LiveMemory::Open(pid));
    return StackReader(std::move(memory), mappings, update::FunctionNames(loaded, {program}),
                       unwinder);
  }

  // nullopt: it did not sleep there, or not in code that can be unwound.
  std::optional<Sighting> Read(const tracer::Task& task,
                               const std::map<pid_t, uint64_t>& asleep) const {
    const auto registers = task.GetRegisters();
    const auto slept = asleep.find(task.tid());
    if (!registers || slept == asleep.end() || slept->second != registers->rsp) return std::nullopt;
    const auto call = tracer::InterpretStop(*registers);
    if (!call) return std::nullopt;
    const auto name = BlockingCallName(Number(call->number, *registers));
    const auto stack = unwinder_->Unwind(call->registers, memory_, mappings_);
    if (!name || !stack) return std::nullopt;
    Sighting sighting{task.pid(), task.tid(), std::string(*name), {}};
    for (size_t i = 0; i < stack->size(); ++i) {
      // A return address may be the first of the next function, if the call was its function's
      // last.
      std::string function = functions_.At((*stack)[i].instruction - (i == 0 ? 0 : 1));
      if (!function.empty()) sighting.functions.push_back(std::move(function));
    }
    return sighting;
  }

 private:
  StackReader(tracer::LiveMemory memory, Mappings mappings, update::FunctionNames functions,
              tracer::Unwinder& unwinder)
      : memory_(std::move(memory)),
        mappings_(std::move(mappings)),
        functions_(std::move(functions)),
        unwinder_(&unwinder) {}

  // A call that was interrupted before, by an earlier look, goes by the name of restart_syscall.
  long Number(long number, const tracer::Registers& registers) const {
    if (number != SYS_restart_syscall) return number;
    const Addr site(registers.rip - tracer::kSyscallInstruction.size());
    return tracer::NumberInCode(memory_, site).value_or(number);
  }

  tracer::LiveMemory memory_;
  Mappings mappings_;
  update::FunctionNames functions_;
  tracer::Unwinder* unwinder_;
};

}  // namespace

Result<Observer> Observer::Create(pid_t root, const std::vector<std::string>& debug_dirs) {
  MCR_TRY(tracer::CheckAttachable(root));
  const tracer::ProcFs procfs;
  MCR_ASSIGN(std::string executable, procfs.ReadLink(root, "exe"));
  MCR_ASSIGN(auto program, mutator::Program::Load(procfs.Path(root, "exe"), {debug_dirs}));
  MCR_ASSIGN(auto unwinder, tracer::Unwinder::Create());
  return Observer(root, std::move(executable), std::move(program), std::move(unwinder));
}

// One that is ending has nothing to be seen.
void Observer::LookAt(const tracer::TracedProcess& process, const std::map<pid_t, uint64_t>& asleep,
                      Look& look) {
  const auto image = checkpoint::LiveImage::CreateRunning(process.pid);
  if (!image) return;
  const auto loaded = mutator::LoadedModules::Find(**image);
  if (const mutator::LoadedModule* program = loaded.ByPath(executable_)) {
    invariants_.Look(process.pid, **image, program->bias);
  }
  std::erase_if(known_, [&](const mutator::StateFilter& filter) {
    const auto verdict = filter.Evaluate(**image, loaded);
    return !verdict || (*verdict && !(*verdict)->holds);
  });
  const auto reader = StackReader::Create(process.pid, (*image)->mappings(), loaded,
                                          {program_, executable_}, *unwinder_);
  if (!reader) return;
  for (const auto& task : process.tasks) {
    if (task->state() != tracer::RunState::kStopped) continue;
    if (auto sighting = reader->Read(*task, asleep)) look.waiting.push_back(*std::move(sighting));
  }
}

void Observer::Recheck(const std::vector<std::string>& invariants) {
  has_known_ = !invariants.empty();
  for (const std::string& expression : invariants) {
    auto filter = mutator::StateFilter::Create(expression, {{program_, executable_}});
    if (filter) known_.push_back(*std::move(filter));
  }
}

std::vector<std::string> Observer::Invariants() const {
  if (!has_known_) return invariants_.Expressions();
  std::vector<std::string> expressions;
  for (const mutator::StateFilter& filter : known_) expressions.push_back(filter.expression());
  return expressions;
}

Result<Look> Observer::TakeLook() {
  MCR_ASSIGN(tracer::TaskGroup group, tracer::TaskGroup::Attach(root_));
  const std::map<pid_t, uint64_t> asleep = FindAsleep(group);
  MCR_TRY(group.InterruptAll(kInterruptTimeout));
  Look look;
  for (const tracer::TracedProcess& process : group.processes()) {
    look.processes.insert(process.pid);
    LookAt(process, asleep, look);
    for (const auto& task : process.tasks) {
      if (task->state() == tracer::RunState::kStopped) MCR_TRY(tracer::HideStop(*task));
    }
  }
  MCR_TRY(group.DetachAll());
  return look;
}

}  // namespace mcr::profile
