"""The figures of a run as a page for people, and as CSV."""

import csv
import os
import platform
import re
import statistics
from pathlib import Path

from bench.parts import STAGES

FIELDS = ("way", "size", "pause_ms", "longest_ms", "p50_ms", "p99_ms", "p999_ms", "lost", "failed")


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} virtual cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, Linux {platform.release()}"


def group(samples):
    """(size, way) -> the medians of its rounds, in the order of the run."""
    found = {}
    for each in samples:
        found.setdefault((each["size"], each["way"]), []).append(each)

    def median(of, field):
        values = [each[field] for each in of if each[field] is not None]
        return statistics.median(values) if values else None
    return {key: {field: median(of, field) for field in FIELDS[2:]} for key, of in found.items()}


def number(value):
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def sweep_table(samples, unit):
    return table((unit, "way", "pause ms", "longest wait ms", "p50", "p99", "p99.9", "connections lost", "failed requests"),
                 [[str(size), way, *(number(each[field]) for field in FIELDS[2:])]
                  for (size, way), each in group(samples).items()])


def parts_table(parts):
    rows = [[stage, *(number(way[stage]) for way in parts["ways"].values())] for stage in STAGES]
    rows.append(["**pause**", *(number(way["pause"]) for way in parts["ways"].values())])
    return table(("stage, ms", *parts["ways"]), rows)


def steady_line(rows, field):
    values = [each[field] for each in rows]
    return f"{statistics.median(values):.3f} ({min(values):.3f}..{max(values):.3f})"


def write_csv(samples, path):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(samples)


def growth(results, way):
    found = group(results["connections"])
    pauses = [found[size, way]["pause_ms"] for size in (100, 10000) if (size, way) in found]
    return f"{pauses[1] / pauses[0]:.1f}" if len(pauses) == 2 else "not measured"


def write(results, output):
    for name in ("connections", "heap"):
        write_csv(results[name], output / f"{name}.csv")
    parts, steady = results["parts"], results["steady"]
    before, after = steady["memory_before"], steady["memory_after"]
    twin, objects = parts["ways"]["mcr, twin"]["pause"], results["objects"]
    Path(f"{output}.md").write_text(f"""\
# Performance

Written by `tests/bench/run`, in {results["minutes"]:.0f} minutes on {results["machine"]}. Server, load, clients and mcr
share that machine. Medians; the raw figures are beside the plots. "Pause" is what the way itself reports: the time in
which no task of the server runs (mcr), or in which there is no server (restart; CRIU, without the wait until the PIDs
are free again). "Longest wait" is what a client that asks without a break has to wait at most; the percentiles are of
all its requests from the beginning of the update until 0.2 s after its end.

## Connections

An nginx (master, two workers) with so many idle connections goes from one Debian security release to the next.
`criu dump`, `restore` brings no new version: it is what dumping and restoring alone would cost.

![pause and longest wait against connections]({output.name}/connections.svg)

{sweep_table(results["connections"], "connections")}

From 100 to 10,000 connections the pause grows by a factor of {growth(results, "mcr, twin")} (twin),
{growth(results, "mcr, CRIU")} (CRIU).

## Size

A redis with so much data (MiB), 1 KiB a key.

![pause and longest wait against data]({output.name}/heap.svg)

{sweep_table(results["heap"], "MiB")}

## Parts of the pause

An nginx with 100 idle connections, in turn with each kind of checkpoint. With CRIU, the merge runs beside the dump.

![parts of the pause]({output.name}/parts.svg)

{parts_table(parts)}

The floor, measured on the same tree in the same run: one stop and resumption of all tasks {number(parts["floor"]["stop_ms"])} ms,
one fork of each process {number(parts["floor"]["fork_ms"])} ms, one copy of what the plan writes {number(parts["floor"]["copy_ms"])} ms. CRIU's own
`frozen_time` for the tree is {number(parts["criu_frozen_ms"])} ms: the pause with a twin is {twin / parts["criu_frozen_ms"]:.2f} times that.

## A million objects

{number(objects["objects"])} live objects on the heap, of which {number(objects["transformed"])} are of a type that changes: the plan takes
{number(objects["outside_ms"])} ms of processor time outside of the pause and {number(objects["inside_ms"])} ms inside; the pause is
{number(objects["pause_ms"])} ms.

## Afterwards

![speed before and after]({output.name}/steady.svg)

Requests per second and 99th percentile of a server, divided by those of one that was never touched, measured in turn
({len(steady["after"])} pairs): before the update {steady_line(steady["before"], "requests")} and {steady_line(steady["before"], "p99")},
after it {steady_line(steady["after"], "requests")} and {steady_line(steady["after"], "p99")}.

Memory of all processes: resident {before["rss_kib"]} KiB before, {after["rss_kib"]} KiB after ({after["rss_kib"] / before["rss_kib"] - 1:+.1%});
proportional {before["pss_kib"]} KiB before, {after["pss_kib"]} KiB after ({after["pss_kib"] / before["pss_kib"] - 1:+.1%});
at the most {steady["memory_peak_pss_kib"]} KiB (proportional) during the update, with twins, rehearsals and mcr itself.
""")
