"""All clients of a fleet together, from before an update until after it."""

import time
from dataclasses import dataclass

from harness import clients

IDLE_CONNECTIONS = 100
TLS_CONNECTIONS = 20


@dataclass(frozen=True)
class LoadResult:
    idle_lost: int
    tls_lost: int
    half_sent_completed: bool
    download_intact: bool
    wrk: clients.WrkResult
    latencies: clients.Latencies

    @property
    def connections_lost(self):
        return self.idle_lost + self.tls_lost + (not self.half_sent_completed) + (not self.download_intact)

    @property
    def requests_failed(self):
        return self.wrk.failed + self.latencies.failed


class Load:
    def __init__(self, fleet, download_seconds=15):
        self._fleet = fleet
        certificate = f"{fleet.dir}/conf/certificate.pem"
        self._idle = clients.IdleConnections(lambda: clients.connect(fleet.http_port), IDLE_CONNECTIONS)
        self._tls = clients.IdleConnections(lambda: clients.connect_tls(fleet.tls_port, certificate), TLS_CONNECTIONS)
        self._half_sent = clients.HalfSentRequest(fleet.http_port)
        self._download = clients.Download(fleet.http_port, f"{fleet.dir}/www/download/file", download_seconds)
        self._wrk = clients.Wrk(fleet.http_port)
        self._prober = clients.Prober(fleet.http_port, fleet.dir)

    def settle(self, seconds):
        """Lets the load run; returns the time span, for latencies without an update to compare with."""
        since = time.monotonic_ns()
        time.sleep(seconds)
        return since, time.monotonic_ns()

    def download_in_flight(self):
        return self._download.in_flight()

    def finish(self):
        """Every client completes what it was at. The load goes on until the last of them has."""
        idle_lost, tls_lost = self._idle.lost(), self._tls.lost()
        half_sent_completed = self._half_sent.completes()
        download_intact = self._download.intact()
        return LoadResult(idle_lost, tls_lost, half_sent_completed, download_intact, self._wrk.stop(),
                          self._prober.stop())

    def close(self):
        self._wrk.kill()
        self._prober.kill()
        for client in (self._idle, self._tls, self._half_sent):
            client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
