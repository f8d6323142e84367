"""What a plan over a million live objects costs, outside of the pause and inside: an update changes the type of a tenth
of them."""

import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path

from harness import updaters

SOURCES = Path(__file__).resolve().parent / "objects"


def build(directory):
    """Both from a file of the same name, by which static variables are known."""
    shutil.copy(SOURCES / "objects.h", directory)
    for version in ("v1", "v2"):
        shutil.copy(SOURCES / f"{version}.c", directory / "program.c")
        subprocess.run(["gcc", "-g", "-O2", "-fPIE", "-pie", "-Wall", "-Wextra", "-Werror", "-o", version, "program.c"],
                       cwd=directory, check=True)


class Server:
    """Makes its objects when it is told to: no rehearsal has them."""

    def __init__(self, directory):
        fifo = directory / "commands"
        if not fifo.exists():
            os.mkfifo(fifo)
        self._process = subprocess.Popen([directory / "v1", fifo], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         text=True, cwd=directory)
        self._commands = os.open(fifo, os.O_RDWR | os.O_CLOEXEC)
        assert self._process.stdout.readline() == "ready\n"
        self.ask("fill")

    @property
    def pid(self):
        return self._process.pid

    def ask(self, command):
        os.write(self._commands, command[:1].encode())
        answer = self._process.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise RuntimeError(f"{command}: {answer or 'no answer'}")

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._commands)


def update(mcr, directory):
    server, report = Server(directory), directory / "report.json"
    try:
        status, stderr = updaters.run([mcr, "update", "--pid", str(server.pid), "--to", directory / "v2", "--checkpoint",
                                       "twin", "--report", report])
        if status != 0:
            raise RuntimeError(f"the update failed: {stderr}")
        server.ask("check")
    finally:
        server.close()
    told = json.loads(report.read_text())
    return {"objects": told["objects"]["typed"], "transformed": told["objects"]["transformed"],
            "pause_ms": told["pause_ms_total"], "outside_ms": told["plan_cpu_ms"]["outside_pause"],
            "inside_ms": told["plan_cpu_ms"]["in_pause"]}


def run(mcr, directory, rounds):
    build(directory)
    rows = [update(mcr, directory) for _ in range(rounds)]
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}
