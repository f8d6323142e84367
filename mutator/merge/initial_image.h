// The writable memory of a program as the loader leaves it before the program's first instruction: the file's bytes,
// zeros, and relocations. What still looks like this was changed by nobody.
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

  // Whether `now`, the bytes of `range` in a process that has the program at load bias `bias`, are the initial ones.
  // Words that the loader resolves by symbol have no known initial value: false.
  bool IsUntouched(Range<FileAddr> range, std::span<const std::byte> now, uint64_t bias) const;

  // The file's bytes of `range`, zeros included; empty if relocations make up part of the initial value.
  std::vector<std::byte> PlainValue(Range<FileAddr> range) const;

 private:
  bool MatchesFile(FileAddr at, std::span<const std::byte> now) const;

  std::shared_ptr<const Program> program_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_INITIAL_IMAGE_H_
