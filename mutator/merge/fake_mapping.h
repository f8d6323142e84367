// Where a process has a FakeProgram.
#ifndef MCR_MUTATOR_MERGE_FAKE_MAPPING_H_
#define MCR_MUTATOR_MERGE_FAKE_MAPPING_H_

#include <cstddef>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"

namespace mcr::mutator {

inline constexpr char kFakeProgramPath[] = "/srv/server";

// The start of a file with the two segments of a FakeProgram.
std::vector<std::byte> FakeElfHeaders();

// Both segments, of kFakeProgramPath, at `bias`.
void MapFakeProgram(checkpoint::FakeImage& image, Addr bias);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_FAKE_MAPPING_H_
