// Finds the words in memory that may be pointers into given ranges: conservative scanning (Boehm
// 1988), at every byte, because packed structures hold unaligned pointers.
#ifndef MCR_MUTATOR_GRAPH_WORD_SCANNER_H_
#define MCR_MUTATOR_GRAPH_WORD_SCANNER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

// glibc keeps function pointers of exit handlers and jump buffers as rol(pointer ^ guard, 17), the
// guard being at fs:0x30 of every thread (glibc, sysdeps/unix/sysv/linux/x86_64/pointer_guard.h).
class PointerGuard {
 public:
  explicit PointerGuard(uint64_t guard) : guard_(guard) {}
  uint64_t Mangle(uint64_t pointer) const { return std::rotl(pointer ^ guard_, 17); }
  uint64_t Demangle(uint64_t word) const { return std::rotr(word, 17) ^ guard_; }
  bool operator==(const PointerGuard&) const = default;

 private:
  uint64_t guard_;
};

struct LikelyPointer {
  Addr at;
  uint64_t target = 0;  // the address that it holds, demangled
  bool mangled = false;
  bool may_be_text = false;  // its lowest byte and the byte before could go on a text (text_tail.h)
  bool aligned() const { return at.value() % 8 == 0; }
};

// Appends, by address, every word of `bytes` (which are at `start`) whose value is in
// [begin, end] of one of `targets` (sorted; disjoint, or all of one size): one past the end counts,
// as it does in C. Mangled ones are looked for at aligned addresses only.
void ScanWords(std::span<const std::byte> bytes, Addr start, std::span<const Range<Addr>> targets,
               const PointerGuard& guard, std::vector<LikelyPointer>& into);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_WORD_SCANNER_H_
