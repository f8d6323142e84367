"""One way to bring a new version in, one measurement: the pause, what a client saw, what was lost."""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness import clients, criu_stats, dump_and_restore, proc, resp, scenario, servers, updaters
from harness.fleet import FleetError, free_ports, wait_until

AFTERMATH_NS = 200_000_000  # what follows an update belongs to its window
ATTEMPTS = 5
MCR = {"mcr, twin": "twin", "mcr, CRIU": "criu"}
OLD_REDIS, NEW_REDIS = "5:7.0.15-1~deb12u7", "5:7.0.15-1~deb12u10"
VERSIONS = {"nginx": (servers.OLD_NGINX, servers.NEW_NGINX), "redis": (OLD_REDIS, NEW_REDIS)}


@dataclass(frozen=True)
class Sample:
    way: str
    size: int         # connections, or MiB
    pause_ms: float   # nobody is served: as the way itself reports it
    longest_ms: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    lost: int         # connections
    failed: int       # requests of the probing client


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def sample(way, size, pause_ms, span, latencies, lost):
    window = latencies.within_ms(span.since, span.until + AFTERMATH_NS)
    return Sample(way, size, pause_ms, max(window, default=0.0), quantile(window, .5), quantile(window, .99),
                  quantile(window, .999), lost, latencies.failed)


def mcr_pause(mcr, server, to, checkpoint):
    for _ in range(3):  # a refusal leaves the server as it was, and memory changes
        result = updaters.mcr_update(updaters.default_command(mcr), server, to, ["--checkpoint", checkpoint])
        if result.status == 0:
            return result
    raise FleetError(f"the update failed: {result.message}")


def nginx_ways(mcr):
    """Name -> function of (fleet, new binary) that returns (pause or None, span)."""
    def with_mcr(checkpoint):
        def update(fleet, binary):
            result = mcr_pause(mcr, fleet, fleet.install(binary), checkpoint)
            return result.report["pause_ms_total"], result.span
        return update

    def binary_upgrade(fleet, binary):
        fleet.install(binary)
        return None, updaters.binary_upgrade(fleet)

    def stop_and_start(fleet, binary):
        fleet.install(binary)
        span = updaters.stop_and_start(fleet)
        return span.ms, span

    def with_criu(fleet, _):
        outage = dump_and_restore.dump_and_restore(criu_stats.find_criu(), fleet)
        return outage.ms, outage.span
    return {**{name: with_mcr(checkpoint) for name, checkpoint in MCR.items()}, "nginx, SIGUSR2": binary_upgrade,
            "stop, start": stop_and_start, "criu dump, restore": with_criu}


def nginx(way, name, connections, rounds):
    """Updates of a fleet with that many idle connections, each of a fresh one."""
    for _ in range(rounds):
        for attempt in range(ATTEMPTS):
            try:
                yield nginx_once(way, name, connections)
                break
            except criu_stats.CriuError as error:  # restore loses a server whose answer to the prober is under way
                if attempt == ATTEMPTS - 1:
                    raise
                print(f"{name:20} {connections:6} once more: {error}", flush=True)


def nginx_once(way, name, connections):
    old, new = servers.build("nginx", servers.OLD_NGINX), servers.build("nginx", servers.NEW_NGINX)
    with contextlib.ExitStack() as stack:
        fleet = stack.enter_context(
            scenario.started_fleet(old, derived=False, worker_connections=max(2048, 2 * connections)))
        idle = stack.enter_context(contextlib.closing(
            clients.IdleConnections(lambda: clients.connect(fleet.http_port), connections)))
        prober = clients.Prober(fleet.http_port, fleet.dir)
        stack.callback(prober.kill)
        pause, span = way(fleet, new)
        lost = idle.lost()
        return sample(name, connections, pause, span, prober.stop(), lost)


class Redis:
    """A daemon with that much data. Data that a restart keeps is on disk when it ends."""

    BYTES_PER_KEY, VALUE_BYTES = 1024, 890

    def __init__(self, mib):
        self.dir = tempfile.mkdtemp(prefix="mcr-redis-", dir="/var/tmp")
        (self.port,) = free_ports(1)
        self.link = f"{self.dir}/redis-server"
        self.install(servers.build("redis", OLD_REDIS))
        self.start()
        with resp.Connection(self.port, timeout=600) as connection:
            connection.call("DEBUG", "POPULATE", mib * (1 << 20) // self.BYTES_PER_KEY, "key", self.VALUE_BYTES)
            connection.call("SET", "probe", "here")

    def install(self, binary):
        os.symlink(binary, self.link + ".new")
        os.replace(self.link + ".new", self.link)
        return binary

    def start(self):
        subprocess.run([self.link, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir, "--daemonize",
                        "yes", "--pidfile", f"{self.dir}/pid", "--logfile", f"{self.dir}/log", "--save", "",
                        "--enable-debug-command", "yes"], stdout=subprocess.DEVNULL, check=True)
        wait_until(self._ready, "redis to answer", seconds=120)
        self.master = int(Path(f"{self.dir}/pid").read_text())

    def _ready(self):
        try:
            with resp.Connection(self.port, timeout=1) as connection:
                return connection.call("PING") == b"PONG"
        except (OSError, resp.ReplyError):
            return False

    def restart(self):
        since, old = time.monotonic_ns(), self.master
        with resp.Connection(self.port, timeout=600) as connection:
            connection.send("SHUTDOWN", "SAVE")
            wait_until(lambda: not proc.exists(old), "redis to end", seconds=120)
        self.start()
        return updaters.Span(since, time.monotonic_ns())

    def pids(self):
        return [self.master] if proc.exists(self.master) else []

    def close(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)


def redis_ways(mcr):
    def with_mcr(checkpoint):
        def update(server):
            result = mcr_pause(mcr, server, server.install(servers.build("redis", NEW_REDIS)), checkpoint)
            return result.report["pause_ms_total"], result.span
        return update

    def with_criu(server):
        outage = dump_and_restore.dump_and_restore(criu_stats.find_criu(), server)
        return outage.ms, outage.span

    def stop_and_start(server):
        server.install(servers.build("redis", NEW_REDIS))
        span = server.restart()
        return span.ms, span
    return {**{name: with_mcr(checkpoint) for name, checkpoint in MCR.items()}, "stop, start": stop_and_start,
            "criu dump, restore": with_criu}


def redis(way, name, mib, rounds):
    for _ in range(rounds):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(contextlib.closing(Redis(mib)))
            prober = clients.Prober(server.port, server.dir, "resp")
            stack.callback(prober.kill)
            pause, span = way(server)
            yield sample(name, mib, pause, span, prober.stop(), 0)


def median(samples, field):
    values = [getattr(each, field) for each in samples if getattr(each, field) is not None]
    return statistics.median(values) if values else None
