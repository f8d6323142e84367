"""Twenty updates in a row, to the new version and back: nothing may pile up."""

import time

from harness import checks
from harness.checks import Check
from update.context import BusyFleet

UPDATES = 20
TOLERANCE = 0.05
SETTLE_SECONDS = 0.5  # until the probing client has warmed up whatever the update left cold


def growth_check(what, unit, first, last, value_of):
    """Compares process by process those that were there after the first update and still are."""
    last = {member.pid: member for member in last}
    pairs = [(member, last[member.pid]) for member in first if member.pid in last]
    changes = [f"{old.role} {value_of(old)} -> {value_of(new)}{unit}" for old, new in pairs]
    ok = bool(pairs) and all(value_of(new) <= (1 + TOLERANCE) * value_of(old) for old, new in pairs)
    return Check(f"{what} at most {TOLERANCE:.0%} over that after the first", ok, "; ".join(changes))


def tree_check(first, last):
    """Of the tree as a whole: an idle process of 4 MiB that maps another 128 KiB of libc's file is beyond 5% alone. The
    cache loader leaves by itself after a minute, and takes a descriptor of each other process with it."""
    here = {member.pid for member in last}
    old, new = (sum(member.resident_kib for member in members if member.pid in here) for members in (first, last))
    changes = ", ".join(f"{member.role} {member.resident_kib}" for member in last)
    return Check(f"resident memory of all processes at most {TOLERANCE:.0%} over that after the first",
                 0 < new <= (1 + TOLERANCE) * old, f"{old} -> {new} KiB ({changes})")


def run(context):
    # Without the location whose compiled script forbids to go back: see downgrade.py.
    with BusyFleet(context, wrk=False, derived=False) as busy:
        fleet = busy.fleet
        before = fleet.snapshot()
        for number in range(1, UPDATES + 1):
            result = context.update(fleet, fleet.install(context.new_binary if number % 2 else context.old_binary))
            if result.status != 0:
                yield Check(f"update {number} of {UPDATES}", False, f"exit status {result.status}: {result.message}")
                break
            if number == 1:
                time.sleep(SETTLE_SECONDS)
                first = fleet.snapshot()
        else:
            time.sleep(SETTLE_SECONDS)
            last = fleet.snapshot()
            yield Check(f"{UPDATES} updates in a row succeed", True)
            yield tree_check(first, last)
            yield growth_check("the number of mappings", "", first, last, lambda member: member.mappings)
            yield growth_check("the number of descriptors, beside connections,", "", first, last, lambda member: member.descriptors)
        yield checks.same_processes(fleet, before)
        yield from busy.finish()[1]
        yield checks.clean_error_log(fleet)
