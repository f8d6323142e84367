"""Programs that updates with faults are tried on, and what tells that they are unharmed."""

import contextlib
import time
from pathlib import Path

from harness import checks, pair_builds, pair_trial, proc
from harness.pair_program import PairProgram, PairProgramError
from update.context import BusyFleet, Context

PAIRS = ("ttst_sample", "list_of_ten_thousand", "tree_with_parents", "threads_at_their_points", "epoll_data",
         "shared_anonymous_memory")
TWINS = ("list_of_ten_thousand", "threads_at_their_points")  # and these without CRIU
CONFIGURATION = pair_builds.CONFIGURATIONS[1]
PATIENCE = 20  # seconds until a recovered server answers


def all_pairs():
    """(name, --checkpoint) of each."""
    return [(name, "auto") for name in PAIRS] + [(name, "twin") for name in TWINS]


class PairVictim:
    """A program of tests/pairs. Once it is updated, another is started."""

    def __init__(self, name, checkpoint="auto"):
        self._checkpoint = checkpoint
        self._pair = pair_builds.Pair(name)
        self._program = PairProgram(pair_builds.build(self._pair, CONFIGURATION))
        pair_trial.start(self._program)

    @property
    def pid(self):
        return self._program.pid

    def command(self, mcr, report):
        self._program.install("v2")
        return [mcr, "update", "--pid", str(self.pid), "--to", self._program.path("v2"), "--report", report,
                "--checkpoint", self._checkpoint, *pair_trial.profile_options(self._pair, self._program)]

    def await_answer(self):
        self._program.ask("version")

    def harm(self, updated):
        """What is wrong; "" if nothing. `updated`: None if both versions would do."""
        try:
            running = "v" + self._program.ask("version")
            if updated is not None and running != ("v2" if updated else "v1"):
                return f"it runs {running}"
            pair_trial.demand_all_well(self._program, running)
        except PairProgramError as error:
            return str(error)
        return held(lambda: proc.running_from(str(self._program.directory)))

    def is_new(self):
        return self._program.executable().endswith("/v2")

    def renew(self):
        """Whether another has to take its place."""
        return self.is_new()

    def close(self):
        """A program that has lost something says so when it gives back its memory."""
        try:
            self._program.quit()
            return ""
        except PairProgramError as error:
            return str(error)
        finally:
            self._program.__exit__()


class NginxVictim:
    """nginx under load, with connections that wait. Goes back and forth between its two versions."""

    def __init__(self, old, new):
        self._resources = contextlib.ExitStack()
        self._busy = self._resources.enter_context(BusyFleet(Context(Path(), old, new), wrk=True, derived=False))
        self._versions = (old, new)
        self._number = 0  # of the version that runs
        self._before = self._busy.fleet.snapshot()

    @property
    def pid(self):
        return self._busy.fleet.master

    def command(self, mcr, report):
        to = self._busy.fleet.install(self._versions[1 - self._number])
        return [mcr, "update", "--pid", str(self.pid), "--to", to, "--report", report]

    def await_answer(self):
        deadline = time.monotonic() + PATIENCE
        while self._busy.idle_check().ok is False and time.monotonic() < deadline:
            time.sleep(0.01)

    def harm(self, updated):
        fleet = self._busy.fleet
        running = self.is_new()
        if updated is not None and running != updated:
            return "it does not run the version that mcr says"
        path = fleet.install(self._versions[1 - self._number if running else self._number])
        found = [self._busy.idle_check(), checks.same_processes(fleet, self._before), checks.undisturbed(fleet),
                 checks.runs_file(fleet, checks.Version.of(path)), checks.clean_error_log(fleet)]
        if running:
            self._number = 1 - self._number
        return "; ".join(f"{check.name}: {check.detail}" for check in found if not check.ok)

    def is_new(self):
        return proc.executable(self.pid) == self._busy.fleet.install(self._versions[1 - self._number])

    def renew(self):
        return False

    def close(self):
        failed = [check for check in self._busy.finish()[1] if not check.ok]
        self._resources.close()
        return "; ".join(f"{check.name}: {check.detail}" for check in failed)


def held(processes):
    """What of `processes()` is stopped or traced, and stays so: a tracer that was killed takes a moment to let go, and
    what it was rehearsing takes one to end."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            problems = [f"{pid} ({proc.title(pid)}) is left {proc.state(pid)}, traced by {proc.tracer(pid)}"
                        for pid in processes() if proc.state(pid) in "tT" or proc.tracer(pid)]
        except OSError:  # one has ended meanwhile
            problems = ["a process ends"]
        if not problems or time.monotonic() > deadline:
            return "; ".join(problems)
        time.sleep(0.05)
