"""Many updates of one nginx under full load, back and forth between two versions, with faults in half of them."""

from pathlib import Path

from faults import plan, trial
from harness import checks
from harness.checks import Check
from update.context import BusyFleet, Context


def run(mcr, chance, old, new, updates):
    names = plan.listed(mcr)
    # Without the location whose compiled script forbids to go back: see tests/update/downgrade.py.
    with BusyFleet(Context(Path(), old, new), wrk=True, derived=False) as busy:
        fleet, versions, number = busy.fleet, (old, new), 0
        before, done, undone, wrong = fleet.snapshot(), 0, 0, []
        for each in range(updates):
            fault = plan.injected(chance, chance.choice(names)).option if each % 2 else None
            command = [mcr, "update", "--pid", str(fleet.master), "--to", fleet.install(versions[1 - number]),
                       *([*trial.LIMITS, "--inject-fault", fault] if fault else [])]
            status, message = trial.run(command)
            if status == trial.UPDATED:
                number, done = 1 - number, done + 1
            else:
                undone += 1
                if not fault or status not in (trial.REFUSED, trial.ROLLED_BACK):
                    wrong.append(f"update {each + 1}, {fault or 'no fault'}: exit status {status}, {message}")
        yield Check(f"{updates} updates end as they should", not wrong,
                    "; ".join(wrong[:3]) or f"{done} updated, {undone} refused or rolled back")
        yield checks.runs_file(fleet, checks.Version.of(fleet.install(versions[number])))
        yield checks.same_processes(fleet, before)
        yield checks.undisturbed(fleet)
        yield from busy.finish()[1]
        yield checks.clean_error_log(fleet)
