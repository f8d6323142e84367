"""`mcr record` and `mcr replay`, as the tests use them."""

import contextlib
import re
import signal
import subprocess

SAME, DIFFERENT = 0, 1


@contextlib.contextmanager
def recording(mcr, pid, file, options):
    """Records what is said meanwhile. Yields the lines that mcr says about it, complete after the end."""
    process = subprocess.Popen([mcr, "record", "--pid", str(pid), "-o", file, *options], stdin=subprocess.DEVNULL,
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


def ports_of(file):
    """The server's port is another each time: those in the recording, as `mcr replay` names them."""
    done = subprocess.run(["protoc", "--decode_raw"], stdin=open(file, "rb"), capture_output=True)
    return set(map(int, re.findall(rb"^  1: (\d+)$", done.stdout, re.M)))


def replay(mcr, file, port, *options):
    mapping = [word for recorded in ports_of(file) for word in ("--port", str(recorded), str(port))]
    return subprocess.run([mcr, "replay", file, *mapping, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)
