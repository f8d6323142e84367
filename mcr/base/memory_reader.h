// Where several layers read a process's memory from: live, a checkpoint image, or a fake.
#ifndef MCR_BASE_MEMORY_READER_H_
#define MCR_BASE_MEMORY_READER_H_

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "mcr/base/address.h"
#include "mcr/base/result.h"

namespace mcr {

class MemoryReader {
 public:
  virtual ~MemoryReader() = default;

  // Fills all of `into` with the bytes from `from` on, or fails and says at which address.
  virtual Status Read(Addr from, std::span<std::byte> into) const = 0;

  template <class T>
  Result<T> ReadValue(Addr from) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    MCR_TRY(Read(from, std::as_writable_bytes(std::span(&value, 1))));
    return value;
  }

  // Up to the NUL, which is not part of the result; fails if there is none within `limit` bytes.
  Result<std::string> ReadString(Addr from, size_t limit = 4096) const;
};

}  // namespace mcr

#endif  // MCR_BASE_MEMORY_READER_H_
