"""`mcr record` and `mcr replay`: what clients said is recorded without touching anybody, and an update in the middle of
its replay changes no answer. tests/cli/nginx.recording is such a recording; `tests/cli/replay.py FILE` makes it anew."""

import contextlib
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from harness import clients, fleet as fleets, proc, scenario, servers, suite  # noqa: E402
from harness.checks import Check  # noqa: E402

RECORDING = Path(__file__).parent / "nginx.recording"
# What is another each time.
MASKS = [option for name in ("Date", "Last-Modified", "ETag") for option in ("--mask", f"^{name}: [^\r]*")]
SAME, DIFFERENT = 0, 1
PAUSE = 0.3  # seconds; between the halves of what is said, for the update to get in between


@contextlib.contextmanager
def recording(mcr, pid, file):
    """Records what is said meanwhile. Yields the lines that mcr says about it, complete after the end."""
    process = subprocess.Popen([mcr, "record", "--pid", str(pid), "-o", file, *MASKS], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = [process.stderr.readline()]  # it has begun
    try:
        yield said
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
        said += errors.splitlines() + output.splitlines()
    finally:
        process.kill()
        process.wait()


def read_until(connection, responses, end):
    data = b""
    while data.count(b"HTTP/1.1 ") < responses or not data.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            raise clients.BadResponse("the server closed the connection")
        data += piece


def say(port):
    """Keep-alive connections, pipelined requests, a header in two halves, and a download that spans the middle."""
    def request(path, headers=""):
        return f"GET {path} HTTP/1.1\r\nHost: fleet\r\n{headers}\r\n".encode()

    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(clients.connect(port)) for _ in range(5)]
        half, pipelined = (stack.enter_context(clients.connect(port)) for _ in range(2))
        for connection in kept:
            clients.get(connection, "/hello.txt")
        half.sendall(b"GET /echo/ HTTP/1.1\r\nHost: fleet\r\nX-Echo: first ha")
        pipelined.sendall(3 * request("/hello.txt"))
        read_until(pipelined, 3, b"hello from nginx\n")
        time.sleep(2 * PAUSE)
        half.sendall(b"lf, second half\r\n\r\n")
        clients.read_response(half)
        for number, connection in enumerate(kept):
            clients.get(connection, "/nothing" if number == 0 else "/hello.txt", "Range: bytes=2-7\r\n" * (number == 1))
        pipelined.sendall(request("/hello.txt") + request("/echo/", "X-Echo: last\r\nConnection: close\r\n"))
        read_until(pipelined, 2, b"last")
        time.sleep(PAUSE)


def record(mcr, fleet, file, also=lambda: None):
    with recording(mcr, fleet.master, file) as said:
        say(fleet.http_port)
        also()
    return said


def ports_of(file):
    """The fleet's port is another each time: the one in the recording, as `mcr replay` names it."""
    done = subprocess.run(["protoc", "--decode_raw"], stdin=open(file, "rb"), capture_output=True)
    return set(map(int, re.findall(rb"^  1: (\d+)$", done.stdout, re.M)))


def replay(mcr, file, port, *options):
    mapping = [word for recorded in ports_of(file) for word in ("--port", str(recorded), str(port))]
    return subprocess.run([mcr, "replay", file, *mapping, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)


def tls_client(fleet):
    with clients.connect_tls(fleet.tls_port, f"{fleet.dir}/conf/certificate.pem") as connection:
        clients.get(connection, "/hello.txt")


def run(context):
    with scenario.started_fleet(context.old_binary, derived=False) as fleet:
        fresh = f"{fleet.dir}/fresh.recording"
        said = record(context.mcr, fleet, fresh, lambda: tls_client(fleet))
        yield Check("every plain connection is recorded", said[-1].startswith("7 connections in "), said[-1])
        yield Check("what cannot be replayed is said", any("TLS" in line for line in said), "; ".join(said[1:-1]))
        done = replay(context.mcr, fresh, fleet.http_port)
        yield Check("the same server answers the same", done.returncode == SAME, done.stdout + done.stderr)

        to = fleet.install(context.new_binary)
        update = shlex.join([str(context.mcr), "update", "--pid", str(fleet.master), "--to", to])
        done = replay(context.mcr, RECORDING, fleet.http_port, "--during", update)
        yield Check("an update in the middle changes no answer", done.returncode == SAME,
                    (done.stdout + done.stderr).splitlines()[-1])
        yield Check("and took place", {proc.executable(pid) for pid in fleet.pids()} == {to})
        done = replay(context.mcr, RECORDING, fleet.http_port, "--speed", "0")
        yield Check("as fast as the server answers, the answers are the same, too", done.returncode == SAME, done.stdout)
        yield from planted(context, fleet)


def planted(context, fleet):
    """Mistakes of an update, as clients would see them: the replay must not miss them."""
    page = Path(f"{fleet.dir}/www/hello.txt")
    swap = f"printf 'hello from nginX\\n' > {shlex.quote(str(page))}"
    done = replay(context.mcr, RECORDING, fleet.http_port, "--during", swap)
    yield Check("one byte that changes in the middle is found, and shown", done.returncode == DIFFERENT and
                "- hello from nginx\\n" in done.stdout and "+ hello from nginX\\n" in done.stdout,
                done.stdout.splitlines()[-1])
    page.write_text("hello from nginx\n")

    workers = fleet.pids_of("worker process")
    done = replay(context.mcr, RECORDING, fleet.http_port, "--timeout", "500", "--during",
                  "kill -9 " + " ".join(map(str, workers)))
    yield Check("connections that are lost in the middle are found", done.returncode == DIFFERENT,
                done.stdout.splitlines()[-1])
    fleets.wait_until(fleet.complete, "new workers")
    done = replay(context.mcr, RECORDING, fleet.http_port, "--during", "false")
    yield Check("a command that fails is a failure", done.returncode == DIFFERENT and "failed: false" in done.stderr)


def main():
    with scenario.started_fleet(servers.build("nginx", servers.OLD_NGINX), derived=False) as fleet:
        print("\n".join(record(suite.REPOSITORY / "bazel-bin/mcr/cli/mcr", fleet, sys.argv[1])))


if __name__ == "__main__":
    main()
