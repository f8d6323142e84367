"""All faults of all victims, and the table of what came of them."""

import subprocess

from faults import trial
from harness.pair_program import PairProgramError


def fill(make_victim, mcr, faults, name):
    rows, victim, timing = [], make_victim(), None
    for fault in faults:
        timing = timing or trial.reference(mcr, victim)
        try:
            row = trial.try_fault(mcr, victim, fault, timing, name)
        except (PairProgramError, OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            row = trial.Row(fault.name, name, "no answer", 0, f"{type(error).__name__}: {error}")
        rows.append(row)
        if not row.ok:
            print(f"FAILED {name}, {fault.option or fault.name}: {row.outcome}, {row.harm}", flush=True)
        if not row.ok or victim.renew():
            rows += closed(victim, name)
            victim = make_victim()
    return rows + closed(victim, name)


def closed(victim, name):
    harm = victim.close()
    if harm:
        print(f"FAILED {name}: {harm}", flush=True)
    return [trial.Row("(its clients, and its end)", name, "", 0, harm)]


def show(rows):
    """By fault: outcomes, whether all connections and all state were kept, the longest time until an answer."""
    names = sorted({row.fault for row in rows})
    width = max((len(name) for name in names), default=0)
    print(f"\n{'fault':{width}}  {'times':>5}  {'kept':>5}  {'recovery ms':>11}  outcomes")
    for name in names:
        mine = [row for row in rows if row.fault == name]
        outcomes = [row.outcome for row in mine if row.outcome]
        counts = ", ".join(f"{outcomes.count(each)} {each}" for each in sorted(set(outcomes)))
        print(f"{name:{width}}  {len(mine):5}  {sum(row.ok for row in mine):5}  "
              f"{max(row.recovery_ms for row in mine):11.1f}  {counts}")
    faults = [row for row in rows if row.outcome]
    kills = sum(row.fault.startswith("kill -9") for row in faults)
    print(f"{len(faults)} faults, {kills} of them kill -9; {sum(not row.ok for row in rows)} did harm\n")
