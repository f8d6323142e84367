"""A checkpoint that was kept brings the old version back after the server was killed, with its connections.

The connections' other ends must not hear of the server's death: all of it happens in a network namespace whose only
interface is down meanwhile.
"""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from harness import checks, clients, scenario  # noqa: E402
from harness.checks import Check  # noqa: E402
from harness.fleet import wait_until  # noqa: E402
from update.context import Context  # noqa: E402

CONNECTIONS = 20
INSIDE = "inside"  # the argument by which this file is run in its namespace


def run(context):
    command = ["unshare", "--net", sys.executable, __file__, INSIDE, context.mcr, context.old_binary, context.new_binary]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    for name, ok, detail in lines:
        yield Check(name, ok == "True", detail)
    if done.returncode != 0 or not lines:
        yield Check("runs to its end", False, done.stderr.strip().rpartition("\n")[2])


def interface(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def sockets_of(port):
    """Those of the server's side: of connections that nobody owns any more as well."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[1].endswith(f":{port:04X}")]


def kill_unheard(fleet):
    """Every process, while no packet can leave; until the kernel has given up to tell the other ends of it."""
    interface("down")
    pids = fleet.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "killed processes to go")
    wait_until(lambda: not sockets_of(fleet.http_port), "their connections to be given up", seconds=60)
    interface("up")


def inside(context):
    interface("up")
    Path("/proc/sys/net/ipv4/tcp_orphan_retries").write_text("1")
    with scenario.started_fleet(context.old_binary) as fleet:
        old = checks.Version.of(str(Path(fleet.started_as).resolve()))
        idle = clients.IdleConnections(lambda: clients.connect(fleet.http_port), CONNECTIONS)
        kept = f"{fleet.dir}/checkpoint"
        members = fleet.snapshot()
        result = context.update(fleet, fleet.install(context.new_binary), "--keep-checkpoint", kept)
        yield Check("the update that keeps its checkpoint succeeds", result.status == 0, result.message)
        mode = stat.S_IMODE(os.stat(kept).st_mode)
        yield Check("only root can look into it", mode == 0o700, oct(mode))
        kill_unheard(fleet)
        done = subprocess.run([context.mcr, "restore", kept], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        yield Check("mcr restore brings the server back", done.returncode == 0, done.stderr.strip())
        now = {member.pid for member in fleet.snapshot()}
        missing = [member.pid for member in members if member.pid not in now]
        yield Check("its processes have the PIDs from before", now and not missing, f"missing: {missing}")
        yield checks.runs_file(fleet, old)
        yield checks.undisturbed(fleet)
        lost = idle.lost()
        yield Check("the connections from before answer", lost == 0, f"{lost} of {CONNECTIONS} lost")
        status, _ = clients.fetch(fleet.http_port, "/hello.txt")
        yield Check("new ones are accepted", status == 200, f"status {status}")
        again = subprocess.run([context.mcr, "restore", kept], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        yield Check("it is not brought back twice", again.returncode == 3, again.stderr.strip())
        yield checks.clean_error_log(fleet)
        idle.close()


if __name__ == "__main__":
    for check in inside(Context(Path(sys.argv[2]), sys.argv[3], sys.argv[4])):
        print(check.name, bool(check.ok), " ".join(check.detail.split()), sep="\t", flush=True)
