"""A failure forced at the end of every stage: the old version goes on as if nothing had been tried."""

from harness import checks
from harness.checks import Check
from update.context import BusyFleet

REFUSED, ROLLED_BACK = 3, 4
BEFORE_THE_PAUSE = ("inspect", "rehearse")


STAGES = (*BEFORE_THE_PAUSE, "quiesce", "checkpoint", "merge", "graft", "validate", "commit")


def after_fault(busy, old, before, result, stage):
    """One check for everything that must be as before; its detail tells what is not."""
    fleet = busy.fleet
    unharmed = [checks.same_processes(fleet, before), checks.runs_file(fleet, old), checks.undisturbed(fleet),
                busy.idle_check(), checks.clean_error_log(fleet)]
    broken = [f"{check.name}: {check.detail}" for check in unharmed if not check.ok]
    if result.status != (REFUSED if stage in BEFORE_THE_PAUSE else ROLLED_BACK):
        broken.append(f"exit status {result.status}")
    if result.message != f"mcr: {stage}: injected fault":
        broken.append(f"it is not the injected fault that ended the update: {result.message}")
    return "; ".join(broken)


def run(context):
    with BusyFleet(context, wrk=True) as busy:
        fleet = busy.fleet
        old = checks.Version.of(fleet.install(context.old_binary))
        before = fleet.snapshot()
        to = fleet.install(context.new_binary)
        for stage in STAGES:
            result = context.update(fleet, to, "--inject-fault", stage)
            broken = after_fault(busy, old, before, result, stage)
            yield Check(f"a failure after {stage} leaves the server as it was", not broken,
                        broken or f"exit status {result.status}, {result.message}")
        result = context.update(fleet, to)
        yield Check("after all of them, an update still succeeds", result.status == 0, result.message)
        yield from busy.finish()[1]
