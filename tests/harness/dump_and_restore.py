"""What CRIU alone offers: the whole tree is dumped, killed and restored, with its connections, as the old version."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness.criu_stats import CriuError
from harness.fleet import wait_until
from harness.updaters import Span

COMMON = ["--tcp-established", "--network-lock", "skip", "--ext-unix-sk", "--file-locks", "--manage-cgroups=ignore"]


@dataclass(frozen=True)
class Outage:
    span: Span
    dump_ms: float
    restore_ms: float  # without the wait until whoever adopted the dumped processes frees their PIDs

    @property
    def ms(self):
        return self.dump_ms + self.restore_ms


def dump_and_restore(criu, server):
    images, pids = tempfile.mkdtemp(prefix="mcr-criu-", dir="/dev/shm"), server.pids()

    def run(action, *options):
        began = time.monotonic_ns()
        done = subprocess.run([criu, action, "--images-dir", images, "--log-file", f"{action}.log", *COMMON, *options],
                              capture_output=True, text=True)
        if done.returncode != 0:
            lines = Path(images, f"{action}.log").read_text(errors="replace").splitlines()
            raise CriuError(f"criu {action}: {[line for line in lines if 'Error' in line][-1:]}")
        return (time.monotonic_ns() - began) / 1e6
    try:
        since, root = time.monotonic_ns(), server.master
        dumped = run("dump", "--tree", str(root), "--link-remap")
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the dumped processes to be reaped")
        restored = run("restore", "--restore-detached")
        return Outage(Span(since, time.monotonic_ns()), dumped, restored)
    finally:
        shutil.rmtree(images)
