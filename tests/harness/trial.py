"""What the scripts of tests/servers have in common: options, one line per check, a row of the table, a verdict.

A script is run by itself or by tests/servers/run, which collects the rows and the verdicts.
"""

import argparse
import os
import re
import signal
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import suite, updaters
from harness.checks import Check
from harness.suite import REPOSITORY

QUIESCENCE_MS, QUIESCENCE_UPDATES = 100, 50
COLUMNS = ("server", "processes", "threads", "connections", "MiB", "pause ms", "client ms", "annotations", "pointers")


@dataclass(frozen=True)
class Options:
    mcr: Path
    full: bool


@dataclass(frozen=True)
class Row:
    """A line of the table: an update that succeeded."""
    server: str  # with both versions
    connections: int
    resident_kib: int
    client_ms: float  # the longest wait of a client around the update
    annotations: int
    report: dict

    def cells(self):
        processes, pointers = self.report["processes"], self.report["pointers"]
        kinds = ("functions", "instructions", "variables", "literals", "layout")
        return (self.server, str(len(processes)), str(sum(process["threads"] for process in processes)),
                str(self.connections), f"{self.resident_kib / 1024:.0f}", f"{self.report['pause_ms_total']:.1f}",
                f"{self.client_ms:.1f}", str(self.annotations),
                ", ".join(f"{pointers[kind]} {kind}" for kind in kinds if pointers[kind]))


def annotations(name):
    """How many entries the shipped profile's `annotations` have."""
    text = re.sub(r"#.*", "", (REPOSITORY / f"profiles/{name}.textproto").read_text())
    found = re.search(r"^annotations\s*\{", text, re.M)
    if not found:
        return 0
    depth, entries = 1, 0
    for token in re.findall(r"[{}]|[\w.]+\s*(?=[:{])", text[found.end():]):
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        else:
            entries += depth == 1
        if depth == 0:
            break
    return entries


def learned_only(name, directory):
    """The shipped profile without its annotations, for an update that must not need them; the path of it."""
    text = (REPOSITORY / f"profiles/{name}.textproto").read_text()
    path = Path(directory, f"{name}.textproto")
    path.write_text(re.split(r"^annotations\s*\{", text, flags=re.M)[0])
    return path


def quiescence_check(times_ms):
    """Of how long each of many updates took to bring all threads to their quiescent points. Of a few there is no 99th
    percentile, only the one that a busy machine held up."""
    if len(times_ms) < QUIESCENCE_UPDATES:
        return
    slowest = sorted(times_ms)[-(-len(times_ms) * 99 // 100) - 1]
    yield Check(f"quiescence within {QUIESCENCE_MS} ms", slowest <= QUIESCENCE_MS,
                f"99th percentile of {len(times_ms)}: {slowest:.1f} ms, median {statistics.median(times_ms):.1f} ms")


def repeated_updates(server, binaries, count, update):
    """Back and forth, under whatever load there is: `update(to)` each time."""
    quiescence, pauses = [], []
    for number in range(count):
        result = update(server.install(binaries[number % 2]))
        if result.status != 0:
            yield Check(f"update {number + 1} of {count} under load", False, result.message)
            break
        quiescence.append(result.report["quiescence_ms"])
        pauses.append(result.report["pause_ms_total"])
    else:
        yield Check(f"{count} updates under load succeed", True,
                    f"pause {statistics.median(pauses):.1f} ms, at most {max(pauses):.1f} ms; "
                    f"quiescence {statistics.median(quiescence):.1f} ms, at most {max(quiescence):.1f} ms")
    yield from quiescence_check(quiescence)


def updates_under_talk(options, server, binaries, talks, name, *arguments):
    """The same while the talks (talk.py) go on."""
    yield from repeated_updates(server, binaries, QUIESCENCE_UPDATES if options.full else 2,
                                lambda to: updaters.mcr_update(updaters.default_command(options.mcr), server, to, arguments))
    errors = [error for error in [talk.finish() for talk in talks] if error]
    yield Check(name, not errors, "; ".join(errors[:3]) or f"{sum(talk.rounds for talk in talks)} answers")


def main(server, run):
    """`run(options)` yields Checks and Rows. Returns the exit status."""
    parser = argparse.ArgumentParser(prog=f"tests/servers/{server}", description=f"Updates of a real {server}.")
    parser.add_argument("--mcr", default=REPOSITORY / "bazel-bin/mcr/cli/mcr", type=Path, metavar="PATH")
    parser.add_argument("--full", action="store_true", help="at full size; takes minutes")
    arguments = parser.parse_args()
    if not os.access(arguments.mcr, os.X_OK):
        parser.error(f"{arguments.mcr} is no program; build it with: bazel build //mcr/cli:mcr")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that `with` ends what was started
    passed = failed = 0
    for result in suite.checks_of(run, Options(arguments.mcr.resolve(), arguments.full)):
        if isinstance(result, Row):
            print("| " + " | ".join(result.cells()) + " |", flush=True)
            continue
        suite.print_check(server, result)
        if not result.skipped:
            passed, failed = passed + result.ok, failed + (not result.ok)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
