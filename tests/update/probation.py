"""update --watch: a new version on probation, which holds, is threatened, or loses its watcher."""

import os
import signal
import subprocess
import time
from pathlib import Path

from harness import checks, clients, proc, scenario
from harness.checks import Check
from harness.fleet import wait_until

REFUSED, BROUGHT_BACK = 3, 5
CONNECTIONS = 20


class Watched:
    """An update that goes on watching, begun; the new version runs, traced, when this is made."""

    def __init__(self, context, fleet, seconds, *options):
        to = fleet.install(context.new_binary)
        self.new = checks.Version.of(to)
        self.report = Path(fleet.dir) / "watched.json"
        self._process = subprocess.Popen(
            [context.mcr, "update", "--pid", str(fleet.master), "--to", to, "--report", str(self.report), "--watch",
             str(seconds), *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        wait_until(lambda: checks.runs_file(fleet, self.new).ok or self._process.poll() is not None, "the commit")
        wait_until(lambda: proc.tracer(fleet.master) or self._process.poll() is not None, "the probation")

    def kill(self):
        self._process.kill()

    def wait(self, seconds=60):
        """Exit status and the line that mcr owes."""
        try:
            stderr = self._process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            self._process.kill()
            return -1, self._process.communicate()[1]
        line = next((line for line in stderr.splitlines()
                     if line.startswith("mcr: ") and not line.startswith("mcr: warning")), "")
        return self._process.returncode, line


def fetched(fleet):
    return clients.fetch(fleet.http_port, "/hello.txt")[0] == 200


def holds(context):
    """Nothing happens to the new version: signals, new processes and requests pass as ever."""
    with scenario.started_fleet(context.old_binary) as fleet:
        before = fleet.snapshot()
        watched = Watched(context, fleet, 3)
        traced = [pid for pid in fleet.pids() if proc.tracer(pid)]
        yield Check("on probation every process is watched", set(traced) == set(fleet.pids()), f"{traced}")
        yield checks.same_processes(fleet, before)
        yield checks.reloads(fleet)
        yield Check("requests are served on probation", fetched(fleet))
        status, line = watched.wait()
        yield Check("a version that holds is updated", status == 0, f"{status} {line}")
        yield checks.runs_file(fleet, watched.new)
        yield checks.undisturbed(fleet)
        yield Check("requests are served after probation", fetched(fleet))
        yield checks.clean_error_log(fleet)


def is_reset(connection):
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def threatened(context):
    with scenario.started_fleet(context.old_binary) as fleet:
        old = checks.Version.of(str(Path(fleet.started_as).resolve()))
        before = {member.pid: member.role for member in fleet.snapshot()}
        idle = clients.IdleConnections(lambda: clients.connect(fleet.http_port), CONNECTIONS)
        spoke = clients.connect(fleet.http_port)
        clients.get(spoke, "/hello.txt")
        watched = Watched(context, fleet, 60, "--checkpoint=criu")
        clients.get(spoke, "/hello.txt")
        opened = clients.connect(fleet.http_port)
        clients.get(opened, "/hello.txt")
        victim = fleet.pids_of("worker process")[0]
        since = time.monotonic()
        os.kill(victim, signal.SIGSEGV)
        status, line = watched.wait()
        took = time.monotonic() - since
        yield Check("a fatal signal brings the old version back", status == BROUGHT_BACK and "SIGSEGV" in line,
                    f"{status} {line}, {took:.2f} s")
        told = (f"{CONNECTIONS} connections go on" in line and "2 are lost" in line and f"PID {victim}" in line)
        yield Check("the line says what was lost", told, line)
        yield checks.runs_file(fleet, old)
        yield checks.undisturbed(fleet)
        now = {member.pid: member.role for member in fleet.snapshot()}
        yield Check("its processes have the PIDs from before", now == before, f"{before} -> {now}")
        for name, connection in (("was used", spoke), ("was opened", opened)):
            yield Check(f"a connection that {name} on probation is reset", is_reset(connection))
            connection.close()
        lost = idle.lost()
        yield Check("the idle connections answer", lost == 0, f"{lost} of {CONNECTIONS} lost")
        idle.close()
        yield Check("new ones are accepted", all(fetched(fleet) for _ in range(20)))
        yield checks.reopens_logs(fleet)
        yield checks.reloads(fleet)
        # Nobody has died, as far as the old version knows.
        yield checks.clean_error_log(fleet)
        result = context.update(fleet, fleet.install(context.new_binary))
        yield Check("it can be updated again", result.status == 0, result.message)
        yield checks.quits(fleet)


def hopeless(context):
    """What CRIU could not bring back is not ended for it."""
    with scenario.started_fleet(context.old_binary) as fleet:
        master = fleet.master
        watched = Watched(context, fleet, 60)
        os.unlink(f"{fleet.dir}/log/access.log")
        os.kill(fleet.pids_of("worker process")[0], signal.SIGSEGV)
        status, line = watched.wait()
        yield Check("without a file that it had open, the server is not brought back",
                    status == BROUGHT_BACK and "cannot be brought back" in line and "access.log" in line,
                    f"{status} {line}")
        wait_until(fleet.complete, "the worker's successor")
        yield Check("its other processes serve on", fleet.master == master and fetched(fleet))
        yield checks.runs_file(fleet, watched.new)
        yield checks.undisturbed(fleet)


def unwatched(context):
    """Whoever kills the watcher ends the probation, and nothing else."""
    with scenario.started_fleet(context.old_binary) as fleet:
        before = fleet.snapshot()
        watched = Watched(context, fleet, 60)
        watched.kill()
        watched.wait()
        wait_until(lambda: not any(proc.tracer(pid) for pid in fleet.pids()), "the tracer to be gone")
        yield checks.same_processes(fleet, before)
        yield checks.runs_file(fleet, watched.new)
        yield checks.undisturbed(fleet)
        yield Check("a kill -9 of mcr on probation leaves the new version serving", fetched(fleet))
        yield checks.clean_error_log(fleet)


def refused(context):
    with scenario.started_fleet(context.old_binary) as fleet:
        before = fleet.snapshot()
        result = context.update(fleet, fleet.install(context.new_binary), "--watch", "5", "--checkpoint=twin")
        yield Check("a twin is nothing to come back from", result.status == REFUSED and "--checkpoint=criu" in result.message,
                    f"{result.status} {result.message}")
        yield checks.same_processes(fleet, before)


def run(context):
    yield from holds(context)
    yield from threatened(context)
    yield from hopeless(context)
    yield from unwatched(context)
    yield from refused(context)
