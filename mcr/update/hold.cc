#include "mcr/update/hold.h"

#include "checkpoint/graft/undo.h"
#include "mcr/base/fault.h"
#include "mcr/base/mapping.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/side_work.h"
#include "tracer/workspace.h"

namespace mcr::update {
namespace {

// There may be thousands, and the kernel makes a directory entry of each.
Result<Descriptors> ListDescriptors(tracer::TaskGroup& tasks, const cpu_set_t& helpers) {
  Descriptors descriptors;
  tracer::SideWork listing(helpers);
  for (const tracer::TracedProcess& process : tasks.processes()) {
    listing.Add([&list = descriptors[process.pid], pid = process.pid]() -> Status {
      MCR_ASSIGN(list, tracer::ProcFs().Descriptors(pid));
      return {};
    });
  }
  MCR_TRY(listing.Finish());
  return descriptors;
}

}  // namespace

Result<Descriptors> RecordAndHold(tracer::TaskGroup& tasks, checkpoint::UndoLog& log,
                                  const cpu_set_t& helpers) {
  MCR_ASSIGN(Descriptors descriptors, ListDescriptors(tasks, helpers));
  for (const tracer::TracedProcess& process : tasks.processes()) {
    MCR_ASSIGN(Mappings mappings, tracer::ProcFs().ReadMappings(process.pid));
    // Pages of ours are not the process's own, and go when the update is undone.
    std::erase_if(mappings, [&](const Mapping& mapping) {
      return process.workspace != nullptr && process.workspace->range().Contains(mapping.range);
    });
    MCR_TRY(checkpoint::RecordProcess(log, process, mappings, descriptors[process.pid]));
  }
  MCR_TRY(FaultPoint(Fault::kHold));
  MCR_TRY(tasks.Hold());
  return descriptors;
}

Status LetGo(tracer::TaskGroup& tasks, checkpoint::UndoLog& log) {
  MCR_TRY(tasks.Release());
  return log.Append(checkpoint::UndoKind::kReleased);
}

}  // namespace mcr::update
