"""Which faults: the closed list of mcr, each at a random occurrence, and kills from outside at random moments."""

import subprocess
from dataclasses import dataclass

# Places that an update comes to more than once, and how often at least with every victim.
OCCURRENCES = {"injected-call": 8, "injected-code": 2, "middle-write": 3}
KILLED = ("worker", "guardian", "both", "all")  # `all`: the watcher as well, and `mcr restore` has to help
KILLS_OF_ALL = 100
SMALL_PART = 6  # faults per victim by default
SMALL_KILLS = 2


@dataclass(frozen=True)
class Fault:
    name: str  # of the row in the table
    option: str = ""  # --inject-fault
    kills: str = ""  # whom of KILLED
    when: float = 0  # of the kill: a share of the update, or, if `in_pause`, of its pause
    in_pause: bool = False


def listed(mcr):
    output = subprocess.run([mcr, "update", "--inject-fault", "list"], check=True, capture_output=True, text=True)
    return output.stdout.split()


def injected(chance, name):
    occurrence = chance.randint(1, OCCURRENCES.get(name.partition(":")[0], 1))
    return Fault(name, option=f"{name}@{occurrence}")


def kill(chance, number):
    whom = KILLED[number % len(KILLED)]
    in_pause = chance.random() < 0.7  # most of an update is before it, where there is little to get wrong
    return Fault(f"kill -9 {whom}{' in the pause' if in_pause else ''}", kills=whom, when=chance.random(),
                 in_pause=in_pause)


def for_victim(mcr, chance, full, share, number):
    """All faults in random order; in a small run, a few of them. One of `share` victims shares the kills."""
    faults = [injected(chance, name) for name in listed(mcr)]
    chance.shuffle(faults)
    if not full:
        faults = faults[:SMALL_PART]
    kills = KILLS_OF_ALL // share + 1 if full else SMALL_KILLS
    faults += [kill(chance, number * kills + each) for each in range(kills)]
    chance.shuffle(faults)
    return faults
