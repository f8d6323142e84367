"""Clients of a fleet: each holds connections or a request open across an update and says afterwards how that went."""

import array
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TIMEOUT = 20  # seconds; far beyond any pause, so that reaching it means a lost connection


class BadResponse(Exception):
    pass


def read_response(connection):
    """Reads one response from a socket and returns its status and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise BadResponse("the server closed the connection")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = {name.lower(): value.strip() for name, _, value in
              (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    chunked = fields.get(b"transfer-encoding") == b"chunked"
    length = int(fields.get(b"content-length", 0))
    while not body.endswith(b"\r\n0\r\n\r\n") if chunked else len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise BadResponse("the server closed the connection in the middle of a response")
        body += piece
    return int(head.split(b" ", 2)[1]), without_chunks(body) if chunked else body


def without_chunks(body):
    data = b""
    while body:
        length, _, body = body.partition(b"\r\n")
        data, body = data + body[:int(length, 16)], body[int(length, 16) + 2:]
    return data


def get(connection, path, headers=""):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: fleet\r\n{headers}\r\n".encode())
    return read_response(connection)


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def connect_tls(port, certificate):
    context = ssl.create_default_context(cafile=certificate)
    return context.wrap_socket(connect(port), server_hostname="127.0.0.1")


def fetch(port, path):
    """One request on a connection of its own."""
    with connect(port) as connection:
        return get(connection, path)


class IdleConnections:
    """Keep-alive connections that have served one request and then wait."""

    def __init__(self, make_connection, count):
        self._connections = [make_connection() for _ in range(count)]
        for connection in self._connections:
            get(connection, "/hello.txt")

    def lost(self):
        """Asks again on every connection and returns how many do not answer. One time limit for all of them: a server
        that hangs does not answer any."""
        deadline = time.monotonic() + TIMEOUT
        return sum(not self._answers(connection, deadline) for connection in self._connections)

    @staticmethod
    def _answers(connection, deadline):
        connection.settimeout(max(deadline - time.monotonic(), 0.01))
        try:
            return get(connection, "/hello.txt")[0] == 200
        except (OSError, BadResponse):
            return False

    def close(self):
        for connection in self._connections:
            connection.close()


class HalfSentRequest:
    """A request whose header is sent up to the middle of a line; the rest follows later."""

    def __init__(self, port):
        self._connection = connect(port)
        self._connection.sendall(b"GET /echo/ HTTP/1.1\r\nHost: fleet\r\nX-Echo: first ha")

    def completes(self):
        """Sends the rest; the answer must show that the server still knew the first half."""
        try:
            self._connection.sendall(b"lf, second half\r\n\r\n")
            return read_response(self._connection) == (200, b"first half, second half")
        except (OSError, BadResponse):
            return False

    def close(self):
        self._connection.close()


class Download(threading.Thread):
    """A file that the server sends at a limited rate, so that it is under way for about `seconds`."""

    def __init__(self, port, original, seconds):
        super().__init__(daemon=True)
        self._original = original
        self._port = port
        self._rate = os.path.getsize(original) // seconds
        self._digest = None
        self.start()

    def run(self):
        try:
            with connect(self._port) as connection:
                status, body = get(connection, f"/download/file?rate={self._rate}")
            self._digest = hashlib.sha256(body).digest() if status == 200 else None
        except (OSError, BadResponse):
            pass

    def in_flight(self):
        return self.is_alive()

    def intact(self):
        """Waits for the end; whether every byte arrived."""
        self.join()
        return self._digest == hashlib.sha256(Path(self._original).read_bytes()).digest()


@dataclass(frozen=True)
class WrkResult:
    requests: int
    seconds: float
    longest_ms: float
    failed: int
    breakdown: str


class Wrk:
    """wrk on keep-alive connections, until told to stop. It is patient: how long it waited is in the result."""

    def __init__(self, port, connections=16):
        self._process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", "-d3600s", "--timeout", "20s", "-s", str(HERE / "wrk_mixed.lua"),
             f"http://127.0.0.1:{port}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        output, errors = self._process.communicate(timeout=TIMEOUT)
        result = next((json.loads(line) for line in output.splitlines() if line.startswith("{")), None)
        if result is None:
            raise RuntimeError(f"wrk printed no result: {output}{errors}")
        kinds = {kind: result[kind] for kind in ("connect", "read", "write", "status", "timeout")}
        breakdown = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
        return WrkResult(result["requests"], result["seconds"], result["longest_ms"], sum(kinds.values()), breakdown)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


class Latencies:
    """When each of the prober's requests began and how long its answer took, in nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, samples, failed):
        self._began, self._took = samples[0::2], samples[1::2]
        self.failed = failed

    def __len__(self):
        return len(self._began)

    def write_csv(self, path):
        """What `mcr report --latency` reads."""
        lines = (f"{began},{took}" for began, took in zip(self._began, self._took))
        Path(path).write_text("began_ns,took_ns\n" + "\n".join(lines) + "\n")

    def within_ms(self, since, until):
        """Of those that were under way at some time between the two, sorted."""
        return sorted(took / 1e6 for began, took in zip(self._began, self._took)
                      if began < until and began + took > since)

    def longest_ms(self, since, until):
        return max(self.within_ms(since, until), default=0)


class Prober:
    """prober.py in a process of its own: the harness's other threads must not delay it."""

    def __init__(self, port, directory, protocol="http"):
        self._file = f"{directory}/latencies"
        self._process = subprocess.Popen([sys.executable, str(HERE / "prober.py"), str(port), self._file, protocol],
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the latency prober got no first answer")

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        output, _ = self._process.communicate(timeout=TIMEOUT)
        samples = array.array("Q", Path(self._file).read_bytes())
        return Latencies(samples, int(output))

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
