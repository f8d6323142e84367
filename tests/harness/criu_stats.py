"""How long CRIU itself keeps a process tree frozen for a dump: the yardstick for mcr's pause."""

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Header of CRIU's service images (criu/include/magic.h): the kind of image, then which.
STATS_HEADER = struct.pack("<II", 0x55105940, 0x57093306)

# stats_entry.dump and dump_stats_entry.frozen_time (images/stats.proto).
DUMP_FIELD = 1
FROZEN_TIME_FIELD = 2


class CriuError(Exception):
    pass


def find_criu():
    """The CRIU that the project uses on this host, built if there is none."""
    built = subprocess.run([REPOSITORY / "third_party/criu/build"], check=True, stdout=subprocess.PIPE, text=True)
    return built.stdout.strip()


def _varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _fields(message):
    """Field number -> value of a protobuf message that holds varints and submessages only, as the statistics do."""
    fields, at = {}, 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        fields[key >> 3] = value
    return fields


def parse_frozen_ms(image):
    if not image.startswith(STATS_HEADER):
        raise CriuError("not a statistics image of CRIU")
    size, = struct.unpack_from("<I", image, len(STATS_HEADER))
    entry = image[len(STATS_HEADER) + 4:][:size]
    return _fields(_fields(entry)[DUMP_FIELD])[FROZEN_TIME_FIELD] / 1000


def frozen_ms(criu, pid):
    """Dumps the tree into memory, leaves it running, and returns CRIU's own `frozen_time`."""
    images = tempfile.mkdtemp(prefix="mcr-criu-", dir="/dev/shm")
    try:
        dump = subprocess.run(
            [criu, "dump", "--leave-running", "--tree", str(pid), "--images-dir", images, "--log-file", "log",
             "--tcp-established", "--skip-in-flight", "--network-lock", "skip", "--ext-unix-sk", "--file-locks", "--link-remap",
             "--manage-cgroups=ignore"],
            capture_output=True, text=True)
        if dump.returncode != 0:
            errors = [line for line in Path(images, "log").read_text(errors="replace").splitlines() if "Error" in line]
            # The first ones may be of what CRIU can do without; the last one is of the dump's end.
            what = "; ".join(errors[-3:]) or dump.stderr.strip()
            raise CriuError(f"criu dump of {pid}: {what}")
        return parse_frozen_ms(Path(images, "stats-dump").read_bytes())
    finally:
        shutil.rmtree(images)
