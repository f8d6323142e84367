// A C library in a process for tests: nothing but the names of its allocator's functions.
#ifndef MCR_MUTATOR_VALIDATE_FAKE_LIBRARY_H_
#define MCR_MUTATOR_VALIDATE_FAKE_LIBRARY_H_

#include "checkpoint/fake_image.h"

namespace mcr::mutator {

void MapLibrary(checkpoint::FakeImage& image);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_FAKE_LIBRARY_H_
