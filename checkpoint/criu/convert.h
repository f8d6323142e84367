// CRIU's messages as the types of a ProcessImage.
#ifndef MCR_CHECKPOINT_CRIU_CONVERT_H_
#define MCR_CHECKPOINT_CRIU_CONVERT_H_

#include <sys/types.h>
#include <sys/user.h>

#include <optional>
#include <vector>

#include "checkpoint/criu/images.pb.h"
#include "checkpoint/process_image.h"
#include "mcr/base/mapping.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

user_regs_struct ToRegisters(const criu::X86Registers& registers);
std::vector<SignalHandler> ToSignalHandlers(const criu::TaskCore& core);
std::vector<Timer> ToTimers(const criu::Timers& timers);  // by id
// Of the thread's image; nullopt if it has none.
std::optional<SignalStack> ToSignalStack(pid_t tid, const criu::ThreadCore& core);
MemoryLayout ToLayout(const criu::Mm& mm);
// Without its file's path.
Result<Mapping> ToMapping(const criu::Vma& vma);

// Of criu::Vma::status.
inline constexpr uint32_t kVmaFilePrivate = 1 << 6;
inline constexpr uint32_t kVmaFileShared = 1 << 7;
inline constexpr uint32_t kVmaAnonymousShared = 1 << 8;
inline constexpr uint32_t kVmaGuard = 1 << 16;  // a piece of another mapping

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_CONVERT_H_
