// Many system calls made by a process in one go: two stops instead of two for each call.
#ifndef MCR_CHECKPOINT_CALL_BATCH_H_
#define MCR_CHECKPOINT_CALL_BATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "tracer/remote_call.h"

namespace mcr::checkpoint {

struct BatchedCall {
  std::string what;  // for the error message: "map 0x7f0000000000"
  long number = 0;   // SYS_*
  std::array<uint64_t, 6> arguments = {};

  // Bytes that the process needs in its memory for this call; argument `data_argument` becomes
  // their address there. What the call leaves in them is found here afterwards. At most kMaxData
  // bytes.
  std::vector<std::byte> data;
  size_t data_argument = 0;
  static constexpr size_t kMaxData = 2048;
  // Another argument that becomes the address of a byte within `data`.
  struct SecondArgument {
    size_t index;
    size_t to;
  };
  std::optional<SecondArgument> second_argument;
  // A pointer within `data` to another place in it: the address of byte `to` is put at byte `at`.
  struct Pointer {
    size_t at;
    size_t to;
  };
  std::optional<Pointer> pointer;
  bool may_fail = false;  // for CheckResults

  // -4095..-1: the call failed; nullopt: it was not reached.
  std::optional<int64_t> result;
};

// For BatchedCall::data: a structure of the kernel's.
template <class T>
std::vector<std::byte> BytesOf(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

// Makes all calls in their order, those after a failed one included, and sets their results. An
// error: the injected code itself could not run or not end; the results tell how far it came.
Status RunBatch(tracer::Injection& injection, std::span<BatchedCall> calls);

// The first call that failed and must not, as an error that begins with its `what`.
Status CheckResults(std::span<const BatchedCall> calls, const std::string& where);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CALL_BATCH_H_
