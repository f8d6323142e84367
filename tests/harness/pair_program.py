"""A running program of tests/pairs, which answers commands (see tests/pairs/pair.c)."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness import proc

ANSWER_TIMEOUT = 20  # seconds; a million objects take a while on a busy machine


class PairProgramError(Exception):
    """It does not answer any more."""


class PairProgram:
    """Runs version v1 from a directory of its own, in which its shared objects can be replaced as a package would."""

    def __init__(self, build):
        self._build = build
        self.directory = Path(tempfile.mkdtemp(prefix="mcr-pair-"))
        for program in build.glob("v[0-9]"):
            shutil.copy2(program, self.directory)
        self.install("v1")
        fifo = self.directory / "commands"
        os.mkfifo(fifo)
        self._process = subprocess.Popen([self.path("v1"), fifo], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, cwd=self.directory, start_new_session=True)
        self._commands = os.open(fifo, os.O_RDWR | os.O_CLOEXEC)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Its children are in its session, and so in its process group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()
        os.close(self._commands)
        shutil.rmtree(self.directory)

    @property
    def pid(self):
        return self._process.pid

    def path(self, version):
        return str(self.directory / version)

    def executable(self):
        return proc.executable(self.pid)

    def install(self, version):
        """Puts the version's shared objects in place of those that are there."""
        for library in self._build.glob(f"*_{version}.so"):
            fresh = self.directory / f"{library.name}.fresh"
            shutil.copy2(library, fresh)
            fresh.replace(self.directory / f"{library.name.partition('_')[0]}.so")

    def read_line(self):
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise PairProgramError(f"no answer for {ANSWER_TIMEOUT} s")
            data = os.read(self._process.stdout.fileno(), 4096)
            if not data:
                raise PairProgramError(self._last_words())
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")

    def ask(self, command):
        os.write(self._commands, f"{command}\n".encode())
        return self.read_line()

    def quit(self):
        """Lets it give back its memory and exit; raises if it does not come to that."""
        os.write(self._commands, b"quit\n")
        try:
            status = self._process.wait(ANSWER_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise PairProgramError(f"does not end within {ANSWER_TIMEOUT} s")
        if status != 0:
            raise PairProgramError(self._last_words())

    def _last_words(self):
        try:
            status = self._process.wait(ANSWER_TIMEOUT)
        except subprocess.TimeoutExpired:
            return "closed its output"
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        os.set_blocking(self._process.stderr.fileno(), False)
        words = " ".join((self._process.stderr.read() or b"").decode(errors="replace").split())
        return f"ended by {how}" + (f": {words}" if words else "")
