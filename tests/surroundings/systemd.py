"""A systemd of the trial's own: PID 1 of namespaces and cgroups that end with it. The host's does not see it."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from harness import proc
from harness.fleet import wait_until

PROGRAM = "/lib/systemd/systemd"
START = """\
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /run/systemd/system /run/lock
printf '[Unit]\\nDescription=nothing yet\\n' >/run/systemd/system/trial.target
exec env container=mcr "$0" --system --unit=trial.target --log-target=null --show-status=no
"""


def cgroups():
    """Our own in each mounted hierarchy."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        kind, name = ("cgroup2", "") if not controllers else ("cgroup", controllers)
        for words in mounts:
            tail = words[words.index("-") + 1:]
            if tail[0] == kind and (not name or set(name.split(",")) <= set(tail[2].split(","))):
                yield Path(words[4] + path)


class Systemd:
    def __init__(self):
        self._cgroups = [cgroup / f"mcr-systemd-{os.getpid()}" for cgroup in cgroups()]
        for cgroup in self._cgroups:
            with contextlib.suppress(FileExistsError):
                cgroup.mkdir()
        self._process = subprocess.Popen(
            ["unshare", "-pfmuin", "--mount-proc", "--cgroup", "sh", "-ec", START, PROGRAM], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=self._enter)
        try:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            wait_until(children.read_text, "systemd's process")
            self.pid = int(children.read_text())
            wait_until(lambda: "running" in self.ctl("is-system-running") or "degraded" in self.ctl("is-system-running"),
                       "systemd to be up")
        except BaseException:
            self.close()
            raise

    def _enter(self):
        for cgroup in self._cgroups:
            with contextlib.suppress(OSError):  # a new cpuset takes no process before it has processors
                (cgroup / "cgroup.procs").write_text("0")

    def ctl(self, *arguments):
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-C", "systemctl", *arguments],
                              capture_output=True, text=True).stdout

    def start(self, name, text):
        """A unit, with the text of its [Service] section."""
        subprocess.run(["nsenter", "-t", str(self.pid), "-m", "tee", f"/run/systemd/system/{name}"], check=True,
                       stdout=subprocess.DEVNULL, text=True, input=f"[Unit]\nDefaultDependencies=no\n[Service]\n{text}")
        self.ctl("daemon-reload")
        self.ctl("start", name)

    def show(self, name):
        """What must not change: the main process, the state, and since when."""
        return self.ctl("show", name, "-p", "MainPID,ActiveState,SubState,NRestarts,StateChangeTimestampMonotonic").strip()

    def main_process(self, name):
        """Its PID as we know it; 0 if it has none."""
        inner = int(re.search(r"MainPID=(\d+)", self.show(name))[1])
        namespace = os.readlink(f"/proc/{self.pid}/ns/pid")
        for pid in proc.pids() if inner else ():
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{pid}/status").read_text()
                if (os.readlink(f"/proc/{pid}/ns/pid") == namespace and
                        int(re.search(r"^NSpid:.*\t(\d+)$", status, re.M)[1]) == inner):
                    return pid
        return 0

    def close(self):
        with contextlib.suppress(AttributeError, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # and with it all of its namespace
        self._process.kill()
        self._process.wait()
        deadline = time.monotonic() + 10
        for cgroup in self._cgroups:
            while cgroup.exists() and time.monotonic() < deadline:
                for directory in sorted(cgroup.rglob("*/"), key=lambda path: -len(path.parts)) + [cgroup]:
                    with contextlib.suppress(OSError):
                        directory.rmdir()
