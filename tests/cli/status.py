"""`mcr status` on a machine where nginx's binary and the libcrypto of an sshd were replaced."""

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import proc, scenario, servers
from harness.checks import Check
from harness.fleet import free_ports, wait_until

OLD_SSHD = "1:9.2p1-2+deb12u7"
SOME_OUTDATED = 1

# Its user and its privilege separation directory are compiled in: seen by this sshd alone.
START_SSHD = """\
mount --bind "$1/passwd" /etc/passwd
mount -t tmpfs none /run
mkdir -m 755 /run/sshd
shift
exec "$@"
"""


@contextlib.contextmanager
def sshd():
    """An sshd whose libcrypto is a file of its own; yields the process and that file."""
    binary = Path(servers.build("openssh", OLD_SSHD))
    directory = Path(tempfile.mkdtemp(prefix="mcr-sshd-", dir="/var/tmp"))
    linked = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    original = next(line.split()[2] for line in linked.splitlines() if line.strip().startswith("libcrypto.so"))
    library = directory / Path(original).name
    shutil.copy(original, library)
    (directory / "passwd").write_text(Path("/etc/passwd").read_text() + "sshd:x:65533:65533::/:/bin/false\n")
    subprocess.run([binary.parent.parent / "bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"], check=True)
    (port,) = free_ports(1)
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-ec", START_SSHD, "sh", directory, binary, "-D", "-e", "-f", "/dev/null", "-h", directory / "key", "-p", str(port), "-o",
         "ListenAddress=127.0.0.1", "-o", "PidFile=none"],
        env={**os.environ, "LD_LIBRARY_PATH": str(directory)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=(directory / "log").open("w"), start_new_session=True)
    try:
        wait_until(lambda: "listening on" in (directory / "log").read_text(), "sshd to listen")
        yield process, library
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], check=True, capture_output=True, text=True).stdout
    return next(line.split()[-1] for line in notes.splitlines() if "Build ID:" in line)


def replace_with_another_build(library):
    """As a package manager does, by a file that is the same but for its build-id."""
    old = bytes.fromhex(build_id(library))
    new = library.with_suffix(".new")
    new.write_bytes(library.read_bytes().replace(old, old[::-1]))
    os.replace(new, library)
    return old.hex(), old[::-1].hex()


def status(context):
    done = subprocess.run([context.mcr, "status", "--json"], capture_output=True, text=True)
    return done.returncode, {server["pid"]: server for server in json.loads(done.stdout)["outdated"]}


def text(context):
    return subprocess.run([context.mcr, "status"], capture_output=True, text=True).stdout


def module(server):
    return {name: server["modules"][0][name] for name in ("path", "kind", "reason")}


def run(context):
    servers.build("openssh", OLD_SSHD)  # what it installs may replace libraries of an nginx that runs
    with scenario.started_fleet(context.old_binary, layout="replaced") as fleet, sshd() as (ssh, library):
        _, before = status(context)
        yield Check("neither is listed while its files are in place",
                    not {fleet.master, ssh.pid} & set(before), f"{len(before)} others")

        old_build, new_build = replace_with_another_build(library)
        fleet.install(context.new_binary)
        code, after = status(context)
        yield Check("the exit status says that something is outdated", code == SOME_OUTDATED, str(code))
        nginx, sshd_entry = after.get(fleet.master), after.get(ssh.pid)
        yield Check("both are listed", bool(nginx and sshd_entry), f"{sorted(after)}")
        yield Check("nginx's reason is its program, replaced",
                    module(nginx) == {"path": fleet.started_as, "kind": "program", "reason": "replaced"},
                    str(module(nginx)))
        yield Check("the whole tree of nginx is one entry", nginx["processes"] == len(fleet.pids()),
                    f"{nginx['processes']} processes")
        yield Check("sshd's reason is its libcrypto, replaced",
                    module(sshd_entry) == {"path": str(library), "kind": "library", "reason": "replaced"},
                    str(module(sshd_entry)))
        seen = sshd_entry["modules"][0]
        yield Check("with the build that runs and the one on disk",
                    (seen["running_build_id"], seen["disk_build_id"]) == (old_build, new_build),
                    f"{old_build[:8]}, {new_build[:8]}")
        yield Check("sshd cannot be updated, and the reason is said",
                    not sshd_entry["can_update"] and "libcrypto" in sshd_entry["reason"], sshd_entry.get("reason", ""))
        shown = text(context)
        yield Check("the text names both, too", all(f"PID {pid}," in shown for pid in (fleet.master, ssh.pid)))

        command = shlex.split(nginx.get("command", "false"))
        done = subprocess.run([context.mcr, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        yield Check("nginx can be updated, by the command that is given", done.returncode == 0,
                    " ".join(command) + f": {done.returncode} {done.stderr.splitlines()[-1:]}")
        _, updated = status(context)
        yield Check("after it, nginx is no longer listed", fleet.master not in updated and proc.exists(fleet.master))

        library.unlink()
        _, deleted = status(context)
        yield Check("a library that is gone altogether is reported as deleted",
                    deleted[ssh.pid]["modules"][0]["reason"] == "deleted")
    yield unprivileged(context)


def unprivileged(context):
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/proc/self/fd/0", "status"],
                          stdin=open(context.mcr, "rb"), capture_output=True, text=True)
    return Check("without root it says so", done.returncode == 3 and "run mcr as root" in done.stderr, done.stderr.strip())
