"""The plan from a kept checkpoint is the one that was made at the pause: of an nginx, and of small programs."""

import contextlib
import json
import subprocess
import tempfile
from pathlib import Path

from harness import checks, pair_builds, scenario, updaters
from harness.checks import Check
from harness.pair_program import PairProgram

# Pointers of all kinds; types that change; a main loop on the stack; timers.
PAIRS = ("callbacks_in_heap", "ginseng_struct", "main_loop_changed", "timer_value", "thread_local_added")
CONFIGURATION = pair_builds.CONFIGURATIONS[0]
REFUSED = 3


@contextlib.contextmanager
def kept():
    """A directory to be made for a checkpoint."""
    with tempfile.TemporaryDirectory(prefix="mcr-kept-") as directory:
        yield Path(directory) / "checkpoint"


def plan(mcr, directory):
    done = subprocess.run([mcr, "plan", "--checkpoint", directory, "--json"], capture_output=True, text=True)
    return done, json.loads(done.stdout) if done.stdout else {}


def digest_check(mcr, name, report, directory):
    done, planned = plan(mcr, directory)
    at_pause, from_checkpoint = report.get("plan_digest", ""), planned.get("plan_digest", "")
    same = len(at_pause) == 64 and at_pause == from_checkpoint
    return Check(f"{name}: the plan from the checkpoint is the one of the pause", done.returncode == 0 and same,
                 f"{at_pause[:12]}, {from_checkpoint[:12]} {done.stderr.strip()}")


def damage_check(mcr, directory):
    """What is not read cannot make a difference: the plan must come from the images."""
    core = sorted(directory.glob("core-*.img"))[0]
    core.write_bytes(core.read_bytes()[:-40])
    done, _ = plan(mcr, directory)
    return Check("a damaged checkpoint is refused and its file named",
                 done.returncode == REFUSED and core.name in done.stderr, done.stderr.strip())


def nginx_checks(context):
    with scenario.started_fleet(context.old_binary) as fleet, kept() as directory:
        to = fleet.install(context.new_binary)
        result = context.update(fleet, to, "--keep-checkpoint", str(directory))
        yield Check("nginx is updated and keeps its checkpoint", result.status == 0, result.message)
        yield digest_check(context.mcr, "nginx", result.report, directory)
        yield checks.clean_error_log(fleet)
        yield damage_check(context.mcr, directory)


def pair_check(mcr, name):
    build = pair_builds.build(pair_builds.Pair(name), CONFIGURATION)
    with PairProgram(build) as program, kept() as directory:
        program.read_line()
        program.ask("state")
        report = program.directory / "report.json"
        program.install("v2")
        status, stderr = updaters.run([mcr, "update", "--pid", str(program.pid), "--to", program.path("v2"),
                                       "--report", report, "--keep-checkpoint", directory])
        if status != 0:
            return Check(f"{name}: is updated", False, stderr.strip().splitlines()[-1])
        return digest_check(mcr, name, json.loads(report.read_text()), directory)


def run(context):
    for name in PAIRS:
        yield pair_check(context.mcr, name)
    yield from nginx_checks(context)
