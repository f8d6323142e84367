// A program some of whose variables are taken in parts, because the compiler of another version of
// it keeps them that way (clang's "global variable optimizer").
#ifndef MCR_MUTATOR_DEBUGINFO_SPLIT_PROGRAM_H_
#define MCR_MUTATOR_DEBUGINFO_SPLIT_PROGRAM_H_

#include <memory>

#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// `program` itself if it has no whole variable that `other` has in parts.
std::shared_ptr<const Program> SplitLike(std::shared_ptr<const Program> program,
                                         const Program& other);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_SPLIT_PROGRAM_H_
