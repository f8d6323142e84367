// A `syscall` instruction in a process, where we can have a thread make system calls of ours.
#ifndef MCR_TRACER_SYSCALL_SITE_H_
#define MCR_TRACER_SYSCALL_SITE_H_

#include <array>
#include <cstddef>
#include <optional>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

inline constexpr std::array<std::byte, 2> kSyscallInstruction{std::byte{0x0f}, std::byte{0x05}};

// What the code before a `syscall` instruction puts into eax, if that is `mov $number,%eax`: the
// call that is made there.
std::optional<long> NumberInCode(const MemoryReader& memory, Addr site);

// The first such pair of bytes in executable memory: the vdso, which every process has, is asked
// first. Whether the compiler meant the pair as an instruction does not matter.
Result<Addr> FindSyscallSite(const MemoryReader& memory, const Mappings& mappings);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYSCALL_SITE_H_
