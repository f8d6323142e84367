"""prober.py PORT FILE [PROTOCOL]: one client that asks again as soon as it has its answer, and notes how long each took.

The longest time is a pause of the server as a client sees it. A request that fails is sent again on a new connection
until it succeeds, and its time counts from the first attempt: an outage shows at its full length.

Prints "ready" after the first answer. On SIGINT it writes pairs of (began, took) in nanoseconds to FILE, as native
64-bit integers, and prints the number of failed attempts.
"""

import array
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from harness import clients, memcache, resp  # noqa: E402

RETRY_SECONDS = 0.001


def ask_http(connection):
    return clients.get(connection, "/hello.txt")[0] == 200


def ask_resp(connection):
    return connection.call("GET", "probe") == b"here"


def ask_memcache(connection):
    return connection.get("probe") == b"here"


# How to connect, and a question whose answer is known; the key "probe" has the value "here".
PROTOCOLS = {
    "http": (clients.connect, ask_http),
    "resp": (resp.Connection, ask_resp),
    "memcache": (memcache.Connection, ask_memcache),
}


class Prober:
    def __init__(self, port, protocol):
        self._port = port
        self._connect, self._ask = PROTOCOLS[protocol]
        self._connection = None
        self.failed = 0
        self.stopped = False

    def stop(self, *_):
        self.stopped = True

    def ask(self):
        """Returns when the request succeeded, or when the prober was told to stop."""
        while not self.stopped:
            try:
                if self._connection is None:
                    self._connection = self._connect(self._port)
                if self._ask(self._connection):
                    return
            except (OSError, ValueError, clients.BadResponse, resp.ReplyError):
                pass
            self.failed += 1
            self._reset()

    def _reset(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        time.sleep(RETRY_SECONDS)


def raise_priority():
    """The load takes every core: without this, the prober would measure its own wait for one."""
    try:
        os.nice(-10)
    except PermissionError:
        pass


def main():
    prober = Prober(int(sys.argv[1]), sys.argv[3] if len(sys.argv) > 3 else "http")
    signal.signal(signal.SIGINT, prober.stop)
    raise_priority()
    samples = array.array("Q")
    prober.ask()
    print("ready", flush=True)
    while not prober.stopped:
        began = time.monotonic_ns()
        prober.ask()
        samples.extend((began, time.monotonic_ns() - began))
    Path(sys.argv[2]).write_bytes(samples.tobytes())
    print(prober.failed)


if __name__ == "__main__":
    main()
