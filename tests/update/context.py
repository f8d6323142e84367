"""What every section of the update tests is given, and what several of them need."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from harness import checks, clients, scenario, updaters


@dataclass(frozen=True)
class Context:
    mcr: Path
    old_binary: str
    new_binary: str

    def update(self, fleet, to, *options):
        return updaters.mcr_update(updaters.default_command(self.mcr), fleet, to, options)


class BusyFleet:
    """The old version with idle connections, a probing client and, if asked for, wrk: for many updates in a row."""

    def __init__(self, context, wrk, **options):
        self._resources = contextlib.ExitStack()
        with self._resources:
            self.fleet = self._resources.enter_context(scenario.started_fleet(context.old_binary, **options))
            port = self.fleet.http_port
            self._idle = self._resources.enter_context(
                contextlib.closing(clients.IdleConnections(lambda: clients.connect(port), 50)))
            self._prober = clients.Prober(port, self.fleet.dir)
            self._resources.callback(self._prober.kill)
            self._wrk = clients.Wrk(port) if wrk else None
            if wrk:
                self._resources.callback(self._wrk.kill)
            self._resources = self._resources.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._resources.close()

    def idle_check(self):
        lost = self._idle.lost()
        return checks.Check("the idle connections answer", lost == 0, f"{lost} lost")

    def finish(self):
        """Ends the load. Returns the prober's latencies and the checks that no client noticed anything."""
        latencies = self._prober.stop()
        results = [self.idle_check(),
                   checks.Check("the probing client saw no error", latencies.failed == 0,
                                f"{len(latencies)} requests, {latencies.failed} errors")]
        if self._wrk:
            wrk = self._wrk.stop()
            results.append(checks.Check("wrk saw no error", wrk.failed == 0,
                                        f"{wrk.requests} requests, {wrk.breakdown or 'no'} errors"))
        return latencies, results
