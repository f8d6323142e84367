"""mcr profile: what is learned from a server is what is shipped for it, and serves for an update."""

import re
import subprocess
from pathlib import Path

from harness import clients, scenario
from harness.checks import Check

SHIPPED = Path(__file__).resolve().parent.parent.parent / "profiles/nginx.textproto"


def learn(mcr, *arguments):
    return subprocess.run([mcr, "profile", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def points(text):
    """(system call, call stack) of each quiescent point."""
    blocks = re.findall(r"quiescent_points \{(.*?)\}", text, re.S)
    return {(re.search(r'system_call: "(\w+)"', block)[1], tuple(re.findall(r'call_stack: "(\w+)"', block)))
            for block in blocks}


def run(context):
    with scenario.started_fleet(context.old_binary, threads=True) as fleet:
        learned = Path(fleet.dir, "learned.textproto")
        done = learn(context.mcr, "--pid", str(fleet.master), "-o", learned, "--seconds", "3", "--workload",
                     f"wrk -t1 -c4 -d2s http://127.0.0.1:{fleet.http_port}/hello.txt")
        yield Check("a running server is learned", done.returncode == 0, done.stderr.strip())
        yield Check("the server serves on", clients.fetch(fleet.http_port, "/hello.txt")[0] == 200)
        if done.returncode != 0:
            return
        found, wanted = points(learned.read_text()), points(SHIPPED.read_text())
        yield Check("its points are those that are shipped", found == wanted,
                    "; ".join(map(str, found ^ wanted)) or f"{len(found)} points")
        learned.write_text(learned.read_text() + 'annotations { drop: "nothing_of_that_name" }\n')
        learn(context.mcr, "--pid", str(fleet.master), "-o", learned, "--seconds", "1")
        yield Check("annotations survive another learning", "nothing_of_that_name" in learned.read_text())
        learned.write_text(learned.read_text().partition("annotations {")[0])
        result = context.update(fleet, fleet.install(context.new_binary), "--profile", str(learned))
        yield Check("an update with the learned profile succeeds", result.status == 0, result.message)
    for arguments in ((), ("--pid", "1", "--", "true")):
        done = learn(context.mcr, "-o", "/nonexistent/file", *arguments)
        yield Check("a server or a command, and not both, must be named", done.returncode == 2, done.stderr.strip())
