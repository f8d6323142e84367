"""The parts of a pause beside what no update of a running tree can do without, measured on the same tree."""

import contextlib
import json
import statistics
import subprocess

from harness import clients, criu_stats, scenario, servers
from bench import measure

STAGES = ("quiesce", "checkpoint", "merge", "graft", "validate", "commit")
CONNECTIONS = 100


def floor_of(floor, pid, written):
    done = subprocess.run([floor, f"--pid={pid}", f"--bytes={written}", "--benchmark_format=json"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    times = {each["name"].split("/")[0]: each["real_time"] for each in json.loads(done.stdout)["benchmarks"]}
    return {"stop_ms": times["StopAndResume"], "fork_ms": times["Fork"], "copy_ms": times["Copy"]}


def written_bytes(report):
    return sum(region["written"] for process in report["memory"] for region in process["regions"])


def run(mcr, floor, updates):
    """Updates there and back under no load but a probing client, with each kind of checkpoint in turn."""
    old, new = servers.build("nginx", servers.OLD_NGINX), servers.build("nginx", servers.NEW_NGINX)
    criu, rows, floors, frozen = criu_stats.find_criu(), {name: [] for name in measure.MCR}, [], []
    with contextlib.ExitStack() as stack:
        fleet = stack.enter_context(scenario.started_fleet(old, derived=False))
        stack.enter_context(contextlib.closing(
            clients.IdleConnections(lambda: clients.connect(fleet.http_port), CONNECTIONS)))
        to = [new, old]
        for number in range(updates):
            frozen.append(criu_stats.frozen_ms(criu, fleet.master))
            for name, checkpoint in measure.MCR.items():
                result = measure.mcr_pause(mcr, fleet, fleet.install(to[0]), checkpoint)
                to.reverse()
                rows[name].append({**result.stage_ms(), "pause": result.report["pause_ms_total"]})
            floors.append(floor_of(floor, fleet.master, written_bytes(result.report)))

    def medians(of):
        return {key: statistics.median(each[key] for each in of) for key in of[0]}
    return {"ways": {name: medians(of) for name, of in rows.items()}, "floor": medians(floors),
            "criu_frozen_ms": statistics.median(frozen)}
