"""What /proc tells about a process. The only place in the harness that reads it."""

import os
import re
from dataclasses import dataclass

TCP_LISTEN = "0A"  # in /proc/net/tcp; include/net/tcp_states.h
LOOKS = 5  # at what comes and goes


@dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    permissions: str
    inode: int
    path: str

    def overlaps(self, start, end):
        return self.start < end and start < self.end


def _read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def _stat_fields(pid):
    """The fields of /proc/PID/stat from the third on; the second may contain blanks and brackets."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def exists(pid):
    """Whether the process runs; a zombie does not."""
    try:
        return _stat_fields(pid)[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def state(pid):
    return _stat_fields(pid)[0].decode()


def parent(pid):
    return int(_stat_fields(pid)[1])


def start_time(pid):
    """In clock ticks since boot: together with the PID it identifies a process."""
    return int(_stat_fields(pid)[19])


def title(pid):
    """The command line as `ps` prints it."""
    return _read(pid, "cmdline").rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")


def tracer(pid):
    return int(re.search(rb"^TracerPid:\s+(\d+)", _read(pid, "status"), re.M)[1])


def executable(pid):
    return os.readlink(f"/proc/{pid}/exe")


def executable_inode(pid):
    return os.stat(f"/proc/{pid}/exe").st_ino


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def running_from(directory):
    """The processes whose executable is below the directory, deleted or not."""
    found = []
    for pid in pids():
        try:
            if executable(pid).startswith(directory + "/"):
                found.append(pid)
        except OSError:
            continue
    return sorted(found)


def mappings(pid):
    found = []
    for line in _read(pid, "maps").decode(errors="replace").splitlines():
        fields = line.split(None, 5)
        start, end = (int(part, 16) for part in fields[0].split("-"))
        found.append(Mapping(start, end, fields[1], int(fields[4]), fields[5] if len(fields) > 5 else ""))
    return found


def resident_kib(pid):
    """From smaps_rollup: the counters in /proc/PID/status lag behind by up to some hundred pages."""
    return rollup_kib(pid, "Rss")


def _connections(pid):
    """Inodes of the TCP sockets of the process's network namespace that do not listen."""
    lines = b"".join(_read(pid, f"net/{family}").partition(b"\n")[2] for family in ("tcp", "tcp6")).decode().splitlines()
    return {fields[9] for fields in map(str.split, lines) if fields[3] != TCP_LISTEN}


def descriptors(pid):
    """The number of descriptors, without one for each connection: clients come and go as they like. A file that is being
    sent, or a connection that came between two looks, is not there each time."""
    return min(_descriptors_now(pid) for _ in range(LOOKS))


def _descriptors_now(pid):
    connections, others, seen = _connections(pid), 0, set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:  # closed meanwhile
            continue
        inode = target[len("socket:["):-1] if target.startswith("socket:[") else None
        if inode in connections and inode not in seen:
            seen.add(inode)
        else:
            others += 1
    return others


def stack_pointer(pid):
    """The stack pointer of the main thread, or None while it runs."""
    fields = _read(pid, "syscall").split()
    return int(fields[-2], 16) if len(fields) >= 3 else None


def rollup_kib(pid, field):
    """A field of /proc/PID/smaps_rollup."""
    return int(re.search(rb"^%b:\s+(\d+) kB" % field.encode(), _read(pid, "smaps_rollup"), re.M)[1])
