// Whether hardware breakpoints work: the virtual processors of some machines take what is written
// to their debug registers, and never stop.
#ifndef MCR_TRACER_BREAKPOINT_PROBE_H_
#define MCR_TRACER_BREAKPOINT_PROBE_H_

namespace mcr::tracer {

// Tries one on a child of ours, in less than a millisecond.
bool BreakpointsWork();

}  // namespace mcr::tracer

#endif  // MCR_TRACER_BREAKPOINT_PROBE_H_
