// Pages of a process for injected code and its arguments, made ahead of the pause: where there are
// none, each injection maps and unmaps its own, at a stop of the process for each call.
//
// Children that the process forks meanwhile do not get them (MADV_DONTFORK).
#ifndef MCR_TRACER_WORKSPACE_H_
#define MCR_TRACER_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

class Workspace {
 public:
  // For both, all tasks of `process` are stopped. Between them, `process.workspace` is what each
  // Injection into the process works in.
  static Status MakeIn(TracedProcess& process);
  static Status RemoveFrom(TracedProcess& process);

  Addr site() const { return site_; }        // a `syscall` instruction of the process's own
  Addr scratch() const { return scratch_; }  // a writable page, populated
  Range<Addr> range() const { return *Range<Addr>::FromTo(code_, scratch_ + kScratchSize); }
  // Where the process has a routine of AllCode; nullopt: it is none.
  std::optional<Addr> Find(std::span<const std::byte> code) const;

 private:
  Workspace(Addr site, Addr code, Addr scratch) : site_(site), code_(code), scratch_(scratch) {}

  Status Furnish(TracedProcess& process) const;

  static constexpr uint64_t kScratchSize = 4096;  // Injection's

  Addr site_, code_, scratch_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_WORKSPACE_H_
