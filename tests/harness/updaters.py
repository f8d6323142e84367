"""The ways to bring a new version into a fleet: mcr, and the two that nginx and a distribution offer."""

import json
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness import proc
from harness.fleet import WORKERS, wait_until

UPDATE_TIMEOUT = 120  # seconds; an update takes a few, and one that hangs must not take the run with it
DEBIAN_STOP_TIMEOUT = 5  # seconds; `--retry QUIT/5` in Debian's nginx.service


@dataclass(frozen=True)
class Span:
    """When an update was under way, in nanoseconds of CLOCK_MONOTONIC."""
    since: int
    until: int

    @property
    def ms(self):
        return (self.until - self.since) / 1e6


@dataclass(frozen=True)
class McrResult:
    status: int
    report: dict
    stderr: str
    span: Span

    @property
    def message(self):
        """The line that mcr owes whoever gets a non-zero exit status."""
        return next((line for line in self.stderr.splitlines()
                     if line.startswith("mcr: ") and not line.startswith("mcr: warning: ")), "")

    def stage_ms(self):
        return {stage["name"]: stage["ms"] for stage in self.report.get("stages", [])}


def default_command(mcr):
    return f"{shlex.quote(str(mcr))} update --pid {{pid}} --to {{to}} --report {{report}}"


def mcr_update(command, fleet, to, options=()):
    """Runs the update command, in which {pid}, {to} and {report} are filled in, with further options behind it."""
    report = Path(fleet.dir) / "report.json"
    report.unlink(missing_ok=True)
    values = {"pid": str(fleet.master), "to": to, "report": str(report)}
    arguments = [word.format(**values) for word in shlex.split(command)] + list(options)
    since = time.monotonic_ns()
    status, stderr = run(arguments)
    span = Span(since, time.monotonic_ns())
    return McrResult(status, json.loads(report.read_text()) if report.exists() else {}, stderr, span)


def run(arguments, **keywords):
    """Exit status and stderr of a command that gets no input; -1 if it had to be killed for hanging."""
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, errors="replace", **keywords)
    try:
        _, stderr = process.communicate(timeout=UPDATE_TIMEOUT)
        return process.returncode, stderr
    except subprocess.TimeoutExpired:
        process.kill()
        _, stderr = process.communicate()
        return -1, stderr


def binary_upgrade(fleet):
    """nginx's own way: a second master takes over the listening sockets, the old one finishes what it has begun."""
    old_master, old_workers = fleet.master, set(fleet.pids_of("worker process"))
    since = time.monotonic_ns()
    os.kill(old_master, signal.SIGUSR2)
    wait_until(lambda: len(fleet.pids_of("worker process")) == 2 * WORKERS, "the new version's workers")
    os.kill(old_master, signal.SIGWINCH)
    wait_until(lambda: not old_workers & set(fleet.pids_of("worker process")), "the old workers to shut down")
    os.kill(old_master, signal.SIGQUIT)
    return Span(since, time.monotonic_ns())


def stop_and_start(fleet):
    """What `systemctl restart nginx` does with Debian's unit: QUIT, five seconds to finish, KILL, start."""
    since = time.monotonic_ns()
    os.kill(fleet.master, signal.SIGQUIT)
    deadline = time.monotonic() + DEBIAN_STOP_TIMEOUT
    while fleet.pids() and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in fleet.pids():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not proc.running_from(fleet.dir), "the old version to be gone")
    fleet.start()
    return Span(since, time.monotonic_ns())
