// A file that a sandboxed program finds in another one's place.
#ifndef MCR_TRACER_REHEARSAL_REPLACEMENT_H_
#define MCR_TRACER_REHEARSAL_REPLACEMENT_H_

#include <string>

namespace mcr::tracer {

struct Replacement {
  std::string path;  // inside
  std::string file;  // outside; also one that no directory leads to any more, by its link in /proc
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_REPLACEMENT_H_
