"""What an update must not give away, take over or leave behind."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import checks, clients, proc, scenario
from harness.checks import Check

REFUSED, ROLLED_BACK = 3, 4
NOBODY = 65534
SECRET = "a-secret-of-a-client-41d8cd98f00b204e"


def copy_of(binary, directory, name, uid=0, gid=0, mode=0o755):
    path = Path(directory) / name
    shutil.copyfile(binary, path)
    os.chown(path, uid, gid)
    os.chmod(path, mode)
    return str(path)


def writable_by_others(context, fleet, directory, before):
    """The new version is executed with the server's rights: whoever can write to it has them."""
    for name, attributes in (("belongs to another user", {"uid": NOBODY}), ("a group can write to it", {"gid": NOBODY, "mode": 0o775}),
                             ("everybody can write to it", {"mode": 0o757})):
        result = context.update(fleet, copy_of(context.new_binary, directory, "new", **attributes))
        ok = result.status == REFUSED and "can write to" in result.message and checks.same_processes(fleet, before).ok
        yield Check(f"a new version is refused if {name}", ok, f"{result.status}, {result.message}")


def swapped_meanwhile(context, fleet, directory):
    """Its name leads to another program as soon as it was looked at."""
    good = copy_of(context.new_binary, directory, "good")
    link = Path(directory) / "link"
    link.symlink_to(good)
    inode = os.stat(good).st_ino
    with subprocess.Popen([context.mcr, "update", "--pid", str(fleet.master), "--to", link], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        first = process.stderr.readline()
        link.unlink()
        link.symlink_to("/bin/true")
        rest = process.stderr.read()
    runs = os.stat(f"/proc/{fleet.master}/exe").st_ino
    yield Check("a name that leads elsewhere after the inspection changes nothing",
                first.startswith("inspect ") and process.returncode == 0 and runs == inode,
                f"{process.returncode}, {rest.splitlines()[-1:]}")


def leftovers(server):
    """What an update of this server might leave on the machine."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    cgroups = [path for path, _, _ in os.walk("/sys/fs/cgroup") if Path(path).name.endswith(f"-{server}")]
    files = [str(path) for directory in ("/tmp", "/dev/shm", "/run", "/var/tmp") for path in Path(directory).glob("mcr-*")
             if path.is_file()]  # the tests' own are directories
    return {"mounts": sorted(mounts), "cgroups": cgroups, "files": sorted(files)}


def quiet(context, fleet, to):
    """A client's secret is in the server's memory while it is updated, and while it is rolled back."""
    before = leftovers(fleet.master)
    with clients.connect(fleet.http_port) as connection:
        connection.sendall(f"GET /echo/ HTTP/1.1\r\nHost: fleet\r\nX-Echo: {SECRET}\r\n".encode())
        said = ""
        results = []
        for options in (("--inject-fault", "validate"), ()):
            result = context.update(fleet, to, *options)
            results.append(result.status)
            report = Path(fleet.dir) / "report.json"
            mode = report.stat().st_mode & 0o777
            said += result.stderr + report.read_text()
        connection.sendall(b"\r\n")
        _, answered = clients.read_response(connection)
    yield Check("the update is rolled back, and then takes place", results == [ROLLED_BACK, 0], str(results))
    yield Check("the client gets its secret back", SECRET.encode() in answered)
    yield Check("nobody else is told", SECRET not in said, f"{len(said)} characters")
    yield Check("the report is its owner's alone", mode == 0o600, oct(mode))
    after = leftovers(fleet.master)
    new = {kind: sorted(set(after[kind]) - set(before[kind])) for kind in after}
    yield Check("no mount, cgroup or file is left", not any(new.values()), str({k: v for k, v in new.items() if v}))


def executing(program):
    found = []
    for pid in proc.pids():
        try:
            if os.path.samefile(f"/proc/{pid}/exe", program):
                found.append(pid)
        except OSError:
            continue
    return found


def run(context):
    with scenario.started_fleet(context.old_binary) as fleet, tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        before = fleet.snapshot()
        yield from writable_by_others(context, fleet, directory, before)
        yield from quiet(context, fleet, fleet.install(context.new_binary))
    with scenario.started_fleet(context.old_binary) as fleet, tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        yield from swapped_meanwhile(context, fleet, directory)
        yield Check("no child of mcr is left", not executing(context.mcr))
