"""`mcr record` and `mcr replay`: what clients said is recorded without touching anybody, and replayed, with all that
can differ found. What an update in the middle must not change is seen by tests/workloads."""

import shlex
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from harness import clients, fleet as fleets, scenario  # noqa: E402
from harness.checks import Check  # noqa: E402
from harness.recordings import DIFFERENT, SAME, recording, replay  # noqa: E402
from workloads.servers import ALL, HERE  # noqa: E402

WORKLOAD, RECORDING = ALL["nginx"], HERE / "nginx.recording"


def tls_client(fleet):
    with clients.connect_tls(fleet.tls_port, f"{fleet.dir}/conf/certificate.pem") as connection:
        clients.get(connection, "/hello.txt")


def run(context):
    with scenario.started_fleet(context.old_binary, derived=False) as fleet:
        fresh = f"{fleet.dir}/fresh.recording"
        with recording(context.mcr, fleet.master, fresh, WORKLOAD.options) as said:
            WORKLOAD.say(fleet.http_port)
            tls_client(fleet)
        yield Check("every plain connection is recorded", said[-1].startswith("7 connections in "), said[-1])
        yield Check("what cannot be replayed is said", any("TLS" in line for line in said), "; ".join(said[1:-1]))
        done = replay(context.mcr, fresh, fleet.http_port)
        yield Check("the same server answers the same", done.returncode == SAME, done.stdout + done.stderr)

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
