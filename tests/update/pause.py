"""The pause of an update against the time for which CRIU freezes the same tree, in turn, in the same run."""

import statistics

from harness import checks, criu_stats
from harness.checks import Check
from update.context import BusyFleet

RUNS = 10
ALLOWED_FACTOR = 2


def run(context):
    criu = criu_stats.find_criu()
    frozen, paused, spans = [], [], []
    with BusyFleet(context, wrk=True, derived=False) as busy:
        fleet = busy.fleet
        for number in range(1, RUNS + 1):
            frozen.append(criu_stats.frozen_ms(criu, fleet.master))
            result = context.update(fleet, fleet.install(context.new_binary if number % 2 else context.old_binary))
            if result.status != 0:
                yield Check(f"update {number} of {RUNS}", False, f"exit status {result.status}: {result.message}")
                return
            paused.append(result.report["pause_ms_total"])
            spans.append(result.span)
        latencies, results = busy.finish()
        yield from results
        yield checks.clean_error_log(fleet)
    seen = [latencies.longest_ms(span.since, span.until) for span in spans]
    allowed = ALLOWED_FACTOR * statistics.median(frozen)
    yield Check(f"the median pause is at most {ALLOWED_FACTOR} x CRIU's frozen_time",
                statistics.median(paused) <= allowed,
                f"{statistics.median(paused):.1f} ms ({min(paused):.1f}..{max(paused):.1f}), allowed {allowed:.1f} ms")
    yield Check("a client waits no longer than that either, in the median", statistics.median(seen) <= allowed,
                f"{statistics.median(seen):.1f} ms ({min(seen):.1f}..{max(seen):.1f})")
