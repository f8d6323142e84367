// Addresses are types: one in a process cannot be mixed up with one in a file.
//
//   Addr      an address in the process that is spoken of (tracer, checkpoint: one process at a
//   time) LiveAddr  in the running server          (mutator: live, base and next are there at once)
//   BaseAddr  in the rehearsed old program
//   NextAddr  in the rehearsed new program
//   FileAddr  a link-time virtual address in an ELF file, before the load bias is added
//
// Unit: bytes. No arithmetic across types; crossing over is spelled out with value().
#ifndef MCR_BASE_ADDRESS_H_
#define MCR_BASE_ADDRESS_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace mcr {

template <class Space>
class Address {
 public:
  constexpr Address() = default;
  constexpr explicit Address(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }
  constexpr bool IsNull() const { return value_ == 0; }

  constexpr Address operator+(uint64_t bytes) const { return Address(value_ + bytes); }
  constexpr Address operator-(uint64_t bytes) const { return Address(value_ - bytes); }
  constexpr uint64_t operator-(Address other) const { return value_ - other.value_; }
  constexpr auto operator<=>(const Address&) const = default;

 private:
  uint64_t value_ = 0;
};

using Addr = Address<struct ProcessSpace>;
using LiveAddr = Address<struct LiveSpace>;
using BaseAddr = Address<struct BaseSpace>;
using NextAddr = Address<struct NextSpace>;
using FileAddr = Address<struct FileSpace>;

// "0x55d0c0de1000"
std::string Hex(uint64_t value);
template <class Space>
std::string Hex(Address<Space> address) {
  return Hex(address.value());
}

}  // namespace mcr

template <class Space>
struct std::hash<mcr::Address<Space>> {
  size_t operator()(mcr::Address<Space> address) const noexcept {
    return std::hash<uint64_t>()(address.value());
  }
};

#endif  // MCR_BASE_ADDRESS_H_
