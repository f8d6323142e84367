"""Whether a server is as fast after an update as before: against one that was never touched, in turn. And its memory."""

import contextlib
import time

from harness import clients, scenario, servers
from bench import measure, memory

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
        held = memory.held(touched.pids())
        with memory.Peak(touched.dir, str(mcr.parent)) as peak:
            measure.mcr_pause(mcr, touched, touched.install(new), "twin")
        return {"before": before, "after": pairs(touched, untouched, count), "memory_before": held,
                "memory_after": memory.held(touched.pids()), "memory_peak_pss_kib": peak.pss_kib}
