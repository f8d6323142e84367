#!/usr/bin/env python3
"""The pause of an update against the time for which CRIU freezes the same tree, in turn, in the same run.

  bazel run //tests/bench:pause          or: tests/bench/pause.py [PATH OF mcr]

Ends with 0 if the median pause is at most twice CRIU's median `frozen_time`, as the report says it and as a client
sees it.
"""

import os
import statistics
import sys
from pathlib import Path

REPOSITORY = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", Path(__file__).resolve().parent.parent.parent))
sys.path[:0] = [str(REPOSITORY / "tests")]
from harness import checks, criu_stats, servers  # noqa: E402
from harness.checks import Check  # noqa: E402
from update.context import BusyFleet, Context  # noqa: E402

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


def main():
    mcr = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "bazel-bin/mcr/cli/mcr").resolve()
    where = Context(mcr, servers.build("nginx", servers.OLD_NGINX), servers.build("nginx", servers.NEW_NGINX))
    results = list(run(where))
    for check in results:
        print(f"{'ok' if check.ok else 'FAILED':7} {check.name} — {check.detail}")
    return 0 if all(check.ok for check in results) else 1


if __name__ == "__main__":
    sys.exit(main())
