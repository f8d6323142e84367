"""One fault in one update of one victim."""

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness import proc

UPDATED, REFUSED, ROLLED_BACK = 0, 3, 4
OUTCOMES = {UPDATED: "updated", REFUSED: "refused", ROLLED_BACK: "rolled back", -signal.SIGKILL: "killed"}
# The worker is to be ended for a loop and for eating memory, and the server not to wait long for it.
LIMITS = ["--pause-limit", "3000", "--time-limit", "20", "--memory-limit", "2000"]
TIMEOUT = 120
LEFT_BEHIND = Path("/run/mcr")


@dataclass(frozen=True)
class Row:
    fault: str
    victim: str
    outcome: str
    recovery_ms: float
    harm: str

    @property
    def ok(self):
        return not self.harm


def run(command):
    """Exit status and the last line of a command."""
    process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, errors="replace", timeout=TIMEOUT)
    return process.returncode, process.stderr.strip().rpartition("\n")[2]


def processes_of(process):
    """(guardian, worker, watcher) as far as they are there. They have one command line."""
    title = proc.title(process.pid)
    found = {"guardian": process.pid}
    for pid in proc.pids():
        try:
            if pid == process.pid or proc.title(pid) != title:
                continue
            parent = proc.parent(pid)
        except OSError:
            continue
        if parent == process.pid:
            found["worker"] = pid
        elif os.getsid(pid) == pid:
            found["watcher"] = pid
    return found


def kill_at(process, moment, whom):
    """SIGKILL for whom it may concern, in an order that leaves nobody the time to help."""
    kept = {}
    while time.monotonic() < moment and process.poll() is None:
        if len(kept) < 3:
            kept.update(processes_of(process))
        time.sleep(max(0, min(0.005, moment - time.monotonic())))
    wanted = {"worker": ["worker"], "guardian": ["guardian"], "both": ["worker", "guardian"],
              "all": ["watcher", "worker", "guardian"]}[whom]
    for pid in (kept[name] for name in wanted if name in kept):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def reference(mcr, victim):
    """(seconds of an update until its pause, seconds of its pause): one that is rolled back at the last moment."""
    with tempfile.NamedTemporaryFile() as report:
        since = time.monotonic()
        status, message = run([*victim.command(mcr, report.name), "--inject-fault", "commit"])
        took = time.monotonic() - since
        if status != ROLLED_BACK:
            raise RuntimeError(f"the reference update: exit status {status}, {message}")
        told = json.loads(Path(report.name).read_text())
    pause = told["pause_ms_total"] / 1000
    return max(0, min(told["pause_began_ms"] / 1000, took - pause)), pause


def killed(mcr, victim, fault, timing):
    before, pause = timing
    share = before + fault.when * pause if fault.in_pause else fault.when * (before + pause)
    since = time.monotonic()
    process = subprocess.Popen([*victim.command(mcr, "/dev/null"), *LIMITS], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kill_at(process, since + share, fault.kills)
    status = process.wait(TIMEOUT)
    ended = time.monotonic()
    if fault.kills == "all":
        run([mcr, "restore"])
    victim.await_answer()
    recovery = time.monotonic() - ended
    deadline = time.monotonic() + TIMEOUT
    while left_behind() and time.monotonic() < deadline:  # the watcher is still cleaning up
        time.sleep(0.01)
    # Of an mcr that was killed nobody says which version it is to be.
    return OUTCOMES.get(status, f"exit status {status}"), recovery, victim.harm(None)


def injected(mcr, victim, fault):
    status, message = run([*victim.command(mcr, "/dev/null"), *LIMITS, "--inject-fault", fault.option])
    ended = time.monotonic()
    victim.await_answer()
    recovery = time.monotonic() - ended
    if status not in (UPDATED, REFUSED, ROLLED_BACK):
        return f"exit status {status}", recovery, message or f"exit status {status}"
    return OUTCOMES[status], recovery, victim.harm(status == UPDATED)


def left_behind():
    return LEFT_BEHIND.is_dir() and any(LEFT_BEHIND.iterdir())


def try_fault(mcr, victim, fault, timing, name):
    outcome, recovery, harm = (killed(mcr, victim, fault, timing) if fault.kills else injected(mcr, victim, fault))
    if left_behind() and not harm:
        harm = "an undo log is left behind"
    return Row(fault.name, name, outcome, 1000 * recovery, harm)
