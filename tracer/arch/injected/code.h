// Machine code that an Injection runs in the server.
#ifndef MCR_TRACER_ARCH_INJECTED_CODE_H_
#define MCR_TRACER_ARCH_INJECTED_CODE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace mcr::tracer {

// One system call of a batch, as the injected code reads it.
struct InjectedCall {
  uint64_t number = 0;
  uint64_t arguments[6] = {};
  uint64_t result = 0;
};
static_assert(sizeof(InjectedCall) == 64);

// All of the routines below, which lie in it one behind the other.
std::span<const std::byte> AllCode();

// The system call for which the registers are set. Result: the kernel's.
std::span<const std::byte> CallCode();

// Arguments: address of an InjectedCall array, its length.
std::span<const std::byte> BatchCode();

// Arguments: address of a prctl_mm_map, its size, address of a writable int. Sets the map by a
// child in a user namespace of its own, for processes without capabilities. Result: 0 or -errno.
std::span<const std::byte> SetMmMapCode();

// What TwinCode tells of the copy.
struct InjectedTwin {
  int32_t pid = 0;  // or -errno
  // The copy's descriptors. It ends when nothing holds the second one, as which it counts itself
  // until a byte is sent there; if none is within ten seconds, it ends, too.
  int32_t sockets[2] = {};
};

// Argument: address of an InjectedTwin. Forks a copy of the process that holds a pair of connected
// sockets only, and executes no code of the program. Result: 0 or -errno.
std::span<const std::byte> TwinCode();

// One call of a function of the program's, of one or two integer arguments.
struct InjectedFunctionCall {
  uint64_t function = 0;  // its address
  uint64_t arguments[2] = {};
  uint64_t result = 0;
};
static_assert(sizeof(InjectedFunctionCall) == 32);

// Arguments: address of an InjectedFunctionCall array, its length, the end of a stack to call on
// (a multiple of 16). Result: 0.
std::span<const std::byte> CallFunctionsCode();

// What all of these end with, by itself: for functions to return to.
std::span<const std::byte> EndCode();
// Arguments: a number that all descriptors of the process are below, address of an int array, its
// length. The array: the descriptors of its epoll sets. Result: how many there are (the array may
// have no room for all), or -errno. One call of the kernel for each descriptor, where a look at
// /proc costs twenty times that.
std::span<const std::byte> FindEpollSetsCode();

}  // namespace mcr::tracer

#endif  // MCR_TRACER_ARCH_INJECTED_CODE_H_
