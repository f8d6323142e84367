#include "tracer/quiesce/thread_examiner.h"

#include <sys/syscall.h>

#include <utility>

#include "mcr/base/system_call.h"
#include "tracer/quiesce/point_match.h"
#include "tracer/quiesce/restart.h"
#include "tracer/sys/procfs.h"
#include "tracer/syscall_site.h"

namespace mcr::tracer {
namespace {

// One that would be delivered as soon as the thread ran, and whose handler then ends its call.
bool HasDeliverableSignal(const Task& task) {
  const Result<TaskStatus> status = ProcFs().ReadThreadStatus(task.pid(), task.tid());
  if (!status) return false;
  const uint64_t pending = status->pending_signals | status->shared_pending_signals;
  return (pending & ~status->blocked_signals) != 0;
}

// A call that the kernel has restarted once goes by the name of restart_syscall; what it was is
// known by where it was made.
long ResolveRestarted(long number, Addr site, const std::optional<CallSite>& known,
                      const MemoryReader& memory) {
  if (number != SYS_restart_syscall) return number;
  if (known && known->instruction == site && known->number != number) return known->number;
  return NumberInCode(memory, site).value_or(number);
}

std::string CallName(long number) {
  const auto name = BlockingCallName(number);
  return name ? std::string(*name) : "system call " + std::to_string(number);
}

}  // namespace

Status ThreadExaminer::Prepare(pid_t pid) {
  MCR_TRY(Open(pid));
  return {};
}

void ThreadExaminer::LookAhead(pid_t pid, const Registers& registers) {
  const auto process = Open(pid);
  if (!process) return;
  const auto stack = unwinder_->Unwind(registers, (*process)->memory, (*process)->mappings);
  if (stack) (void)FunctionNames(pid, *stack);
}

Result<ThreadExaminer::Process*> ThreadExaminer::Open(pid_t pid) {
  const auto known = processes_.find(pid);
  if (known != processes_.end()) return &known->second;
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(pid));
  MCR_ASSIGN(Mappings mappings, ProcFs().ReadMappings(pid));
  return &processes_.emplace(pid, Process{std::move(memory), std::move(mappings)}).first->second;
}

Result<std::vector<Frame>> ThreadExaminer::Unwind(const Task& task, const Registers& registers) {
  MCR_ASSIGN(const Process* const process, Open(task.pid()));
  Result<std::vector<Frame>> stack =
      unwinder_->Unwind(registers, process->memory, process->mappings);
  if (stack) return stack;
  // The mappings may be out of date: a module was loaded since.
  Forget(task.pid());
  MCR_ASSIGN(const Process* const fresh, Open(task.pid()));
  return unwinder_->Unwind(registers, fresh->memory, fresh->mappings);
}

std::vector<std::string> ThreadExaminer::FunctionNames(pid_t pid,
                                                       const std::vector<Frame>& stack) const {
  std::vector<std::string> names;
  if (!options_.function_name) return names;
  for (size_t i = 0; i < stack.size(); ++i) {
    // A return address may be the first of the next function, if the call was its function's last.
    const Addr instruction = i == 0 ? stack[i].instruction : stack[i].instruction - 1;
    std::string name = options_.function_name(pid, instruction);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

std::optional<ThreadExaminer::Candidate> ThreadExaminer::FindCandidate(const Task& task,
                                                                       const Registers& registers) {
  if (task.stop_reason() == StopReason::kBreakpoint) {
    Candidate candidate{static_cast<long>(registers.rax), registers};
    candidate.registers.orig_rax = ~uint64_t{0};
    return candidate;
  }
  const std::optional<InterruptedCall> call = task.stop_reason() == StopReason::kSystemCall
                                                  ? BeforeEntry(registers)
                                                  : InterpretStop(registers);
  if (!call) return std::nullopt;
  const Addr site(registers.rip - kSyscallInstruction.size());
  const auto process = Open(task.pid());
  if (!process) return std::nullopt;
  Candidate candidate{
      ResolveRestarted(call->number, site, sites_.Find(task.pid(), task.tid()), (*process)->memory),
      call->registers};
  // Then it waits once more for as long as it was told to.
  const bool forgotten = options_.restarts_are_forgotten || IsSandboxed(task);
  if (candidate.registers.rax == SYS_restart_syscall && forgotten) {
    candidate.registers.rax = static_cast<uint64_t>(candidate.number);
  }
  return candidate;
}

bool ThreadExaminer::IsPoint(const Task& task, const Candidate& candidate,
                             const std::vector<Frame>& stack, QuiescentThread& thread) {
  if (profile_ == nullptr) {
    const std::optional<CallSite> own = sites_.FindOwn(task.tid());
    return !own || own->number == candidate.number;
  }
  const std::vector<std::string> functions = FunctionNames(task.pid(), stack);
  if (functions.empty()) return true;
  program_threads_.insert(task.tid());
  const profiles::Role* role = FindRole(*profile_, candidate.number, functions);
  if (role != nullptr) thread.role = role->name();
  return role != nullptr;
}

bool ThreadExaminer::IsPointCall(const Task& task, long number) const {
  if (calls_.contains(number) || number == SYS_restart_syscall) return true;
  // To unwind a busy thread's stack at each of its calls would hold it up too long.
  if (profile_ != nullptr && program_threads_.contains(task.tid())) return false;
  return BlockingCallName(number).has_value();
}

Result<std::optional<QuiescentThread>> ThreadExaminer::Examine(const Task& task) {
  MCR_ASSIGN(const Registers registers, task.GetRegisters());
  const std::optional<Candidate> candidate = FindCandidate(task, registers);
  if (!candidate || !IsPointCall(task, candidate->number)) return std::nullopt;
  if (HasDeliverableSignal(task)) return std::nullopt;
  const Result<std::vector<Frame>> stack = Unwind(task, candidate->registers);
  if (!stack) return std::nullopt;  // in code without unwind information: no point of a profile
  QuiescentThread thread;
  if (!IsPoint(task, *candidate, *stack, thread)) return std::nullopt;
  thread.pid = task.pid();
  thread.tid = task.tid();
  thread.system_call = CallName(candidate->number);
  thread.stack = *stack;
  thread.registers = candidate->registers;
  return thread;
}

std::string ThreadExaminer::Describe(const Task& task) {
  std::string text = "in its own code";
  const Result<SystemCallState> call = ProcFs().ReadSystemCall(task.pid(), task.tid());
  if (call && !call->running && call->number >= 0) text = "in " + CallName(call->number);
  const Result<Registers> registers = task.GetRegisters();
  if (!registers) return text;
  const Result<std::vector<Frame>> stack = Unwind(task, *registers);
  if (!stack) return text;
  std::string separator = ", called from ";
  for (const std::string& name : FunctionNames(task.pid(), *stack)) {
    text += std::exchange(separator, " < ") + name;
  }
  return text;
}

}  // namespace mcr::tracer
