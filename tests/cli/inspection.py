"""`mcr inspect` of a server and of a checkpoint of it: the two say the same."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from harness import scenario
from harness.checks import Check
from harness.dump_and_restore import COMMON

REFUSED = 3
SAME = ("pid", "modules", "descriptors", "heap")  # whatever it is read from; a root has no parent in a checkpoint


def inspect(context, what):
    done = subprocess.run([context.mcr, "inspect", str(what), "--json"], capture_output=True, text=True)
    return done, json.loads(done.stdout) if done.returncode == 0 else {}


def checkpoint(criu, pid, directory):
    done = subprocess.run([criu, "dump", "--tree", str(pid), "--leave-running", "--link-remap", "--images-dir", directory,
                           "--log-file", "dump.log", *COMMON], capture_output=True, text=True)
    log = Path(directory, "dump.log")
    return done.returncode == 0, log.read_text(errors="replace").splitlines()[-1:] if log.exists() else done.stderr


def of_a_checkpoint(context, fleet, directory):
    made, why = checkpoint(os.environ["MCR_CRIU"], fleet.master, directory)
    yield Check("criu makes a checkpoint", made, str(why))
    _, live = inspect(context, fleet.master)
    done, kept = inspect(context, directory)
    yield Check("it can be inspected", done.returncode == 0 and kept["checkpoint"] and kept["executable"] == live["executable"]
                and "functions" in kept["debug_info"], done.stderr.strip() or kept["debug_info"])
    processes = {process["pid"]: process for process in kept.get("processes", [])}
    yield Check("it has all processes", sorted(processes) == sorted(fleet.pids()), f"{sorted(processes)}")
    different = [f"{process['pid']} {name}: {process[name]} / {processes[process['pid']][name]}"
                 for process in live["processes"] for name in SAME if process[name] != processes[process["pid"]][name]]
    yield Check("and shows what the running server showed", not different, "; ".join(different)[:300] or ", ".join(SAME))
    threads = [len(process["threads"]) for process in processes.values()]
    heaps = [process["heap"] for process in processes.values() if process["heap"]]
    yield Check("with its threads and heap", all(threads) and heaps and all(heap["blocks"] > 100 for heap in heaps), str(heaps))
    text = subprocess.run([context.mcr, "inspect", directory], capture_output=True, text=True).stdout
    yield Check("the text does, too", all(f"{pid:>8}  " in text for pid in processes) and "stopped" in text)


def run(context):
    with scenario.started_fleet(context.old_binary) as fleet, tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        yield from of_a_checkpoint(context, fleet, directory)
        Path(directory, "pstree.img").write_bytes(b"nonsense")
        done, _ = inspect(context, directory)
        yield Check("a damaged checkpoint is refused by name", done.returncode == REFUSED and "pstree" in done.stderr,
                    done.stderr.strip())
    done, _ = inspect(context, "/nonexistent")
    yield Check("a directory that does not exist is said so", done.returncode == REFUSED and "/nonexistent" in done.stderr,
                done.stderr.strip())
