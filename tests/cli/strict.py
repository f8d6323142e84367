"""--strict: words that only look like pointers to data refuse an update; those whose type is known do not."""

import json
import subprocess

from harness import pair_builds, updaters
from harness.checks import Check
from harness.pair_program import PairProgram

CONFIGURATION = pair_builds.CONFIGURATIONS[0]
TYPED = "callbacks_in_heap"  # objects of known types point to a variable
UNTYPED = "pool_opaque"      # objects in the memory of the program's own allocator do
REFUSED = 3


def strict_update(mcr, name, *options):
    """Exit status, message, report, and whether the program is all right afterwards."""
    with PairProgram(pair_builds.build(pair_builds.Pair(name), CONFIGURATION)) as program:
        program.read_line()
        program.ask("state")
        report = program.directory / "report.json"
        planned = subprocess.run([mcr, "plan", "--pid", str(program.pid), "--to", program.path("v2"), *options],
                                 capture_output=True, text=True)
        status, stderr = updaters.run([mcr, "update", "--pid", str(program.pid), "--to", program.path("v2"),
                                       "--report", report, *options])
        well = program.ask("version") == ("1" if status else "2") and program.ask("check") == "ok"
        return planned, status, stderr.strip().splitlines()[-1], json.loads(report.read_text()), well


def run(context):
    _, status, message, report, well = strict_update(context.mcr, TYPED, "--strict")
    yield Check("pointers in objects of known types let a strict update through",
                status == 0 and well and report["pointers"]["unproven"] == 0, message)
    planned, status, message, _, well = strict_update(context.mcr, UNTYPED, "--strict")
    yield Check("words in memory of unknown type refuse it, before the pause, and are counted",
                status == REFUSED and well and "--strict" in message and "words in memory" in message, message)
    yield Check("plan says so, too", planned.returncode == REFUSED and "--strict" in planned.stdout)
    _, status, message, _, well = strict_update(context.mcr, UNTYPED)
    yield Check("without --strict they are taken for pointers", status == 0 and well, message)
