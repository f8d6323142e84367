"""Whether a server is as fast after an update as before: against one that was never touched, in turn. And its memory."""

import contextlib
import time

from harness import clients, proc, scenario, servers
from bench import measure

SECONDS = 2


def speed(fleet):
    """(requests a second, 99th percentile in ms)"""
    prober = clients.Prober(fleet.http_port, fleet.dir)
    wrk = clients.Wrk(fleet.http_port)
    since = time.monotonic_ns()
    time.sleep(SECONDS)
    until = time.monotonic_ns()
    load, latencies = wrk.stop(), prober.stop()
    return load.requests / load.seconds, measure.quantile(latencies.within_ms(since, until), .99)


def memory(fleet):
    return {"rss_kib": sum(proc.resident_kib(pid) for pid in fleet.pids()),
            "pss_kib": sum(proc.rollup_kib(pid, "Pss") for pid in fleet.pids())}


def pairs(touched, untouched, count):
    rows = []
    for _ in range(count):
        ours, theirs = speed(touched), speed(untouched)
        rows.append({"requests": ours[0] / theirs[0], "p99": ours[1] / theirs[1]})
    return rows


def run(mcr, count):
    old, new = servers.build("nginx", servers.OLD_NGINX), servers.build("nginx", servers.NEW_NGINX)
    with contextlib.ExitStack() as stack:
        touched, untouched = (stack.enter_context(scenario.started_fleet(old, derived=False)) for _ in range(2))
        before = pairs(touched, untouched, count)
        held = memory(touched)
        result = measure.mcr_pause(mcr, touched, touched.install(new), "auto")
        return {"before": before, "after": pairs(touched, untouched, count), "memory_before": held,
                "memory_after": memory(touched), "mcr_peak_kib": result.report.get("peak_rss_kib")}
