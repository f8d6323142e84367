"""What must hold for a fleet that was updated. Each check says in one line what it saw."""

import functools
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import clients, pointer_scan, proc
from harness.fleet import FleetError, wait_until

# A request that the two nginx versions of the demo answer differently: see $stolen in nginx.conf.in. The length of the
# part that the location captures decides how many bytes the vulnerable version sends along from its heap.
TELLING_PATH = "/tell/captured"
DERIVED_PATH = "/derived/captured"
REPAIRED_ANSWER = b"c"


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str = ""
    skipped: bool = False  # not tried on this host; `detail` says why


@dataclass(frozen=True)
class Version:
    """A server binary on disk as the fleet runs it."""
    path: str
    inode: int

    @classmethod
    def of(cls, path):
        return cls(path, os.stat(path).st_ino)


def check(name):
    """Makes a Check of a function that returns (ok, detail). What a server that is gone or hangs raises, fails it."""
    def decorate(function):
        @functools.wraps(function)
        def guarded(*arguments, **keywords):
            try:
                return Check(name, *function(*arguments, **keywords))
            except (FleetError, clients.BadResponse, OSError, ValueError, subprocess.CalledProcessError) as error:
                return Check(name, False, f"{type(error).__name__}: {error}")
        return guarded
    return decorate


def _summary(problems, good):
    """A few of the problems, or what to say if there are none."""
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return "; ".join(map(str, problems[:3])) + more if problems else good


def load_checks(result):
    """No client noticed anything but a pause."""
    return [
        Check("no request failed", result.requests_failed == 0,
              f"{result.wrk.requests} by wrk" + (f": {result.wrk.breakdown} errors" if result.wrk.failed else "") +
              f", {len(result.latencies)} by the prober" +
              (f": {result.latencies.failed} errors" if result.latencies.failed else "")),
        Check("idle keep-alive connections answer", result.idle_lost == 0, f"{result.idle_lost} lost"),
        Check("idle TLS connections answer", result.tls_lost == 0, f"{result.tls_lost} lost"),
        Check("the download in flight is intact", result.download_intact, "SHA-256 compared"),
        Check("the half-sent request completes", result.half_sent_completed, "both halves of the header came back"),
    ]


# What the processes are now

def _running(fleet):
    """What is said of every process must not be true because there is none."""
    pids = fleet.pids()
    if not pids:
        raise FleetError("no process of the server runs any more")
    return pids


def _left_by_itself(fleet, member):
    """nginx's cache loader ends a minute after the start; the master logs that."""
    return (member.role == "cache loader process" and
            f"cache loader process {member.pid} exited with code 0" in fleet.error_log())


@check("all processes are the ones from before")
def same_processes(fleet, before):
    """Start times count, too: a PID alone could have been given to a successor."""
    now = {member.pid: member.started for member in fleet.snapshot()}
    problems = [f"{member.role} {member.pid} is gone" for member in before
                if now.pop(member.pid, None) != member.started and not _left_by_itself(fleet, member)]
    problems += [f"{pid} is new" for pid in now]
    return not problems, _summary(problems, "PIDs " + " ".join(str(member.pid) for member in before))


@check("/proc/PID/exe is the new file")
def runs_file(fleet, version):
    problems = [f"{pid} executes {proc.executable(pid)}" for pid in _running(fleet)
                if proc.executable_inode(pid) != version.inode or proc.executable(pid) != version.path]
    return not problems, _summary(problems, version.path)


@check("/proc/PID/maps shows the new file only")
def maps_file(fleet, old, new):
    problems = []
    for pid in _running(fleet):
        inodes = {mapping.inode for mapping in proc.mappings(pid)}
        if old.inode != new.inode and old.inode in inodes:
            problems.append(f"{pid} still maps {old.path}")
        if new.inode not in inodes:
            problems.append(f"{pid} does not map {new.path}")
    return not problems, _summary(problems, "no mapping of the old one")


@check("ps shows the new file only")
def ps_shows_file(fleet, old, new):
    """`exe` is what ps resolves; the arguments must not name a file that is no longer executed either."""
    pids = ",".join(map(str, _running(fleet)))
    output = subprocess.run(["ps", "-ww", "-o", "pid=,exe:512=,args=", "-p", pids], check=True, capture_output=True,
                            text=True).stdout
    lines = [" ".join(line.split()) for line in output.splitlines()]
    wrong = [line for line in lines
             if line.split()[1] != new.path or "(deleted)" in line or (old.path != new.path and old.path in line)]
    return not wrong, _summary(wrong, f"{len(lines)} processes")


@check("no process is left stopped or traced")
def undisturbed(fleet):
    problems = [f"{pid} is traced by {proc.tracer(pid)}" for pid in _running(fleet) if proc.tracer(pid)]
    problems += [f"{pid} is stopped" for pid in fleet.pids() if proc.state(pid) in "tT"]
    return not problems, _summary(problems, "all run freely")


@check("no pointer into the old file is left")
def no_old_pointers(fleet, before, new):
    """Byte-wise; `before` knows where the old file was in each process. What is mapped there still hides pointers."""
    problems, running = [], _running(fleet)
    for member in before:
        if member.pid in running:
            problems += [f"{member.pid} still has {mapping.start:#x}-{mapping.end:#x}, where the old file was"
                         for mapping in pointer_scan.leftovers(member.pid, member.module_range, new.inode)]
            problems += pointer_scan.find_pointers(member.pid, member.module_range)
    return not problems, _summary(problems, "every byte offset of all readable memory of every process")


def image_checks(fleet, before, old, new):
    return [same_processes(fleet, before), runs_file(fleet, new), maps_file(fleet, old, new),
            ps_shows_file(fleet, old, new), undisturbed(fleet), no_old_pointers(fleet, before, new)]


# What the processes do now

@check("the repaired code answers")
def answers_as_repaired(fleet):
    """The new version's code runs: it truncates what the old one fills up from its heap."""
    status, body = clients.fetch(fleet.http_port, TELLING_PATH)
    return (status, body) == (200, REPAIRED_ANSWER), f"GET {TELLING_PATH}: {len(body)} bytes, {body!r}"


@check("the error log has no alert")
def clean_error_log(fleet, killed=()):
    """`killed`: workers that the harness killed itself, which nginx reports as an alert."""
    lines = [line for line in fleet.error_log().splitlines() if re.search(r"\[(alert|emerg|crit)\]", line)]
    lines = [line for line in lines
             if not any(f"worker process {pid} exited on signal 9" in line for pid in killed)]
    return not lines, _summary(lines, "no alert, crit or emerg")


def _demand_answer(fleet):
    if clients.fetch(fleet.http_port, "/hello.txt")[0] != 200:
        raise FleetError("the new worker does not answer")


@check("nginx -s reopen works")
def reopens_logs(fleet):
    log = Path(fleet.dir, "log/access.log")
    log.rename(f"{log}.1")
    fleet.signal("reopen")
    wait_until(log.exists, "the new access log")
    clients.fetch(fleet.http_port, "/hello.txt?reopened")
    wait_until(lambda: "/hello.txt?reopened" in log.read_text(), "the request in the new access log")
    return True, "the next request is in the new file"


@check("nginx -s reload works")
def reloads(fleet):
    before = fleet.pids_of("worker process")
    fleet.reload()
    _demand_answer(fleet)
    return True, f"workers {before} -> {fleet.pids_of('worker process')}"


@check("after a reload, what start-up computes is repaired, too")
def derived_state_after_reload(fleet):
    """A reload lets the new version compile its scripts anew: the part of the repair that is not code alone."""
    body = clients.fetch(fleet.http_port, DERIVED_PATH)[1]
    return body == REPAIRED_ANSWER, f"GET {DERIVED_PATH}: {len(body)} bytes, {body!r}"


@check("a killed worker respawns")
def respawns(fleet, victim):
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in fleet.pids() and fleet.complete(), "a new worker")
    _demand_answer(fleet)
    return True, f"worker {victim} killed, a new one serves"


@check("nginx -s quit works")
def quits(fleet):
    fleet.signal("quit")
    wait_until(lambda: not fleet.pids(), "all processes to exit")
    return True, "all processes are gone"


def operation_checks(fleet):
    """What an operator does with the server afterwards. Ends it. For when no client is connected any more."""
    results = [reopens_logs(fleet), reloads(fleet)]
    if fleet.derived:
        results.append(derived_state_after_reload(fleet))
    victims = fleet.pids_of("worker process")[:1]
    results += [respawns(fleet, victim) for victim in victims]
    return results + [quits(fleet), clean_error_log(fleet, killed=victims)]
