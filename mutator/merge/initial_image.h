// The writable memory of a program as the loader leaves it before the program's first instruction:
// the file's bytes, zeros, and relocations. What still looks like this was changed by nobody.
#ifndef MCR_MUTATOR_MERGE_INITIAL_IMAGE_H_
#define MCR_MUTATOR_MERGE_INITIAL_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class InitialImage {
 public:
  explicit InitialImage(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  // The initial bytes of `range` with the program at load bias `bias`.
  std::vector<std::byte> Bytes(Range<FileAddr> range, uint64_t bias) const;

  // The same without relocations: what a fresh mapping of the file holds.
  std::vector<std::byte> FileBytes(Range<FileAddr> range) const;

  // False if the loader resolves part of `range` by symbol: then Bytes is not the initial value.
  bool IsKnown(Range<FileAddr> range) const;

  // The file's bytes of `range`, zeros included; empty if relocations make up part of the initial
  // value.
  std::vector<std::byte> PlainValue(Range<FileAddr> range) const;

 private:
  std::span<const Relocation> RelocationsIn(Range<FileAddr> range) const;

  std::shared_ptr<const Program> program_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_INITIAL_IMAGE_H_
