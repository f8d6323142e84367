// Faults that a test can have injected: a closed enum of places, and of what happens there.
//
// `mcr update --inject-fault PLACE[:MANNER][@N]` makes MANNER (default: fail) happen the Nth time
// (default: the first) that the update comes to PLACE. A stage's place is its end, when it has done
// its work and the most has to be undone.
#ifndef MCR_BASE_FAULT_H_
#define MCR_BASE_FAULT_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "mcr/base/result.h"

namespace mcr {

enum class Fault {
  // The ends of stages.
  kInspect,
  kRehearse,
  kQuiesce,
  kCheckpoint,
  kMerge,
  kGraft,
  kValidate,
  kCommit,
  // Within them.
  kAttach,        // attached, nobody is stopped yet
  kHold,          // a process is about to be held
  kInjectedCall,  // a system call made by the server for us
  kInjectedCode,  // code run in the server
  kDescriptor,    // a descriptor is handed over
  kAllocation,    // memory of the server's allocator was asked for
  kKernelCalls,   // mappings, handlers and epoll entries of a process are made
  kSignalStack,   // a thread's signal handlers have got another stack
  kTimers,        // timers of a process are made anew
  kFirstWrite,    // the first write to a process's memory is done
  kMiddleWrite,
  kLastWrite,
  kRegisters,  // a thread has got its new registers
  kAnswer,     // the plan is random bytes
  // After the point of no return, where failing is not an answer any more.
  kCommitted,
  kUnmap,   // a process is about to lose the old program
  kResume,  // the first processes run
};

enum class Manner { kFail, kAbort, kSegmentation, kLoop, kMemory, kKill };

template <class T>
struct Named {
  T value;
  std::string_view name;
};

inline constexpr std::array<Named<Fault>, 25> kFaultNames{{
    {Fault::kInspect, "inspect"},
    {Fault::kRehearse, "rehearse"},
    {Fault::kQuiesce, "quiesce"},
    {Fault::kCheckpoint, "checkpoint"},
    {Fault::kMerge, "merge"},
    {Fault::kGraft, "graft"},
    {Fault::kValidate, "validate"},
    {Fault::kCommit, "commit"},
    {Fault::kAttach, "attach"},
    {Fault::kHold, "hold"},
    {Fault::kInjectedCall, "injected-call"},
    {Fault::kInjectedCode, "injected-code"},
    {Fault::kDescriptor, "descriptor"},
    {Fault::kAllocation, "allocation"},
    {Fault::kKernelCalls, "kernel-calls"},
    {Fault::kSignalStack, "signal-stack"},
    {Fault::kTimers, "timers"},
    {Fault::kFirstWrite, "first-write"},
    {Fault::kMiddleWrite, "middle-write"},
    {Fault::kLastWrite, "last-write"},
    {Fault::kRegisters, "registers"},
    {Fault::kAnswer, "answer"},
    {Fault::kCommitted, "committed"},
    {Fault::kUnmap, "unmap"},
    {Fault::kResume, "resume"},
}};

inline constexpr std::array<Named<Manner>, 6> kMannerNames{{
    {Manner::kFail, "fail"},
    {Manner::kAbort, "abort"},
    {Manner::kSegmentation, "segfault"},
    {Manner::kLoop, "loop"},
    {Manner::kMemory, "memory"},
    {Manner::kKill, "kill"},
}};

// From the point of no return on, only death is possible.
constexpr bool CanFail(Fault fault) { return fault < Fault::kCommitted; }

struct ArmedFault {
  Fault fault;
  Manner manner = Manner::kFail;
  int occurrence = 1;
};

// "PLACE[:MANNER][@N]"
std::optional<ArmedFault> ParseFault(const std::string& text);

// One at a time, for the whole process, before it has threads.
void ArmFault(const std::optional<ArmedFault>& fault);

// Here it happens, if it is the armed one and the time has come.
Status FaultPoint(Fault here);
// The same where the caller itself does what happens.
bool IsFaultDue(Fault here);

}  // namespace mcr

#endif  // MCR_BASE_FAULT_H_
