"""A server that is one process, in a directory of its own below /var/tmp."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import pointer_scan, proc
from harness.fleet import FleetError, Member, wait_until


class Daemon:
    """`command(program, directory)` gives the command line; the server logs to its standard error. It must not leave
    its foreground. It is started through a link to the current version. Offers what the checks ask of a fleet."""

    def __init__(self, role, binary, command, ready):
        self.role = role
        self.dir = tempfile.mkdtemp(prefix=f"mcr-{role}-", dir="/var/tmp")
        self._link = f"{self.dir}/{Path(binary).name}"
        self.install(binary)
        with open(f"{self.dir}/log", "ab") as log:
            self._process = subprocess.Popen(
                command(self._link, self.dir), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment(), start_new_session=True)
        try:
            wait_until(lambda: self._ended() or ready(), f"{role} to answer", seconds=60)
            if self._ended():
                raise FleetError(f"{role} ended: {self.error_log()[-500:]}")
        except BaseException:
            self.close()
            raise

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

    def install(self, binary):
        """Lets the link lead to this version, and returns the path of its file."""
        os.symlink(binary, self._link + ".new")
        os.replace(self._link + ".new", self._link)
        return binary

    def _ended(self):
        return self._process.poll() is not None

    @property
    def master(self):
        return self._process.pid

    def pids(self):
        return [] if self._ended() else [self.master]

    def snapshot(self):
        pid = self.master
        return [Member(pid, proc.start_time(pid), self.role,
                       pointer_scan.module_range(pid, proc.executable_inode(pid)), proc.resident_kib(pid),
                       len(proc.mappings(pid)), proc.descriptors(pid))]

    def error_log(self):
        return Path(f"{self.dir}/log").read_text(errors="replace")

    def wait(self, seconds=60):
        """Its exit status, once it was told to end."""
        return self._process.wait(seconds)

    def close(self):
        if not self._ended():
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tree(Daemon):
    """A server that forks, for each connection perhaps. Children that execute another program do not count."""

    def pids(self):
        if not super().pids():
            return []
        inode, found = proc.executable_inode(self.master), [self.master]
        for pid in proc.pids():
            with contextlib.suppress(OSError):
                if pid != self.master and proc.executable_inode(pid) == inode and self._is_below(pid):
                    found.append(pid)
        return found

    def _is_below(self, pid):
        while pid > 1 and pid != self.master:
            pid = proc.parent(pid)
        return pid == self.master

    def snapshot(self):
        members = []
        for pid in self.pids():
            with contextlib.suppress(OSError):
                members.append(Member(pid, proc.start_time(pid), self.role,
                                      pointer_scan.module_range(pid, proc.executable_inode(pid)),
                                      proc.resident_kib(pid), len(proc.mappings(pid)), proc.descriptors(pid)))
        return members

    def close(self):
        children = [pid for pid in self.pids() if pid != self.master]
        super().close()
        for pid in children:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))
