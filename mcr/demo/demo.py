"""Updates a running nginx under load with mcr, then the same with nginx's own upgrade and with a restart."""

import argparse
import signal
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))
from harness import checks, clients, criu_stats, load, scenario, servers, updaters  # noqa: E402

CLIENTS_HELD = load.IDLE_CONNECTIONS + load.TLS_CONNECTIONS + 2  # the download and the half-sent request


def parse_arguments():
    parser = argparse.ArgumentParser(prog="mcr/demo/run", description=__doc__)
    parser.add_argument("--mcr", metavar="PATH", help="use this mcr instead of building it")
    parser.add_argument("--updater", metavar="CMD", help="run CMD to update; {pid}, {to} and {report} are filled in")
    parser.add_argument("--baseline-only", action="store_true", help="only the two other ways")
    parser.add_argument("--skip-baselines", action="store_true", help="only mcr")
    parser.add_argument("--layout", choices=("beside", "replaced"), default="beside",
                        help="whether the new file is beside the old one or replaces it, as dpkg does")
    parser.add_argument("--from", dest="old", default=servers.OLD_NGINX, metavar="VERSION")
    parser.add_argument("--to", dest="new", default=servers.NEW_NGINX, metavar="VERSION")
    return parser.parse_args()


class Printer:
    """Output for people: colour only where there is a terminal."""

    def __init__(self):
        self._colour = sys.stdout.isatty()

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def heading(self, text):
        print(f"\n{self._paint('1', text)}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def check(self, check):
        mark = self._paint("32", "✓") if check.ok else self._paint("31", "✗")
        print(f"  {mark} {check.name}" + self._paint("2", f" — {check.detail}" if check.detail else ""), flush=True)

    def table(self, header, rows):
        widths = [max(len(row[column]) for row in [header] + rows) for column in range(len(header))]
        for row in [header] + rows:
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            print("  " + "   ".join(cells))


def build_mcr():
    criu_stats.find_criu()
    subprocess.run(["bazel", "build", "//mcr/cli:mcr"], cwd=REPOSITORY, check=True)
    return REPOSITORY / "bazel-bin/mcr/cli/mcr"


def update_command(arguments):
    if arguments.updater:
        return arguments.updater
    return updaters.default_command(Path(arguments.mcr).resolve() if arguments.mcr else build_mcr())


def describe(out, fleet):
    roles = fleet.roles()
    out.note("processes: " + ", ".join(f"{role.removesuffix(' process')} {pid}" for pid, role in roles.items()))
    out.note(f"clients:   wrk on 16 connections, a probing client, {load.IDLE_CONNECTIONS} idle keep-alive connections,")
    out.note(f"           {load.TLS_CONNECTIONS} idle TLS connections, a slow download, a half-sent request")
    status, body = clients.fetch(fleet.http_port, checks.TELLING_PATH)
    out.note(f"before:    GET {checks.TELLING_PATH} answers {status}, {len(body)} bytes: {body!r}")


def describe_update(out, result, observation):
    out.note(f"update:    exit status {result.status} after {observation.update_ms:.0f} ms")
    for line in result.stderr.splitlines():
        out.note(f"           {line}")
    if result.stage_ms():
        out.note("stages:    " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in result.stage_ms().items()))
    for key in ("pointers", "objects"):
        if key in result.report:
            out.note(f"{key + ':':10} " + ", ".join(f"{count} {kind}" for kind, count in result.report[key].items()))


def update_with_mcr(out, arguments, command, old_binary, new_binary):
    """Returns what was observed and the checks."""
    with scenario.started_fleet(old_binary, layout=arguments.layout) as fleet:
        describe(out, fleet)
        observation, results = scenario.update_with_mcr(fleet, command, new_binary)
    describe_update(out, observation.outcome, observation)
    for check in results:
        out.check(check)
    return observation, results


def update_with(out, arguments, update, old_binary, new_binary):
    with scenario.started_fleet(old_binary, layout=arguments.layout) as fleet:
        fleet.install(new_binary)
        observation = scenario.under_load(fleet, lambda: update(fleet), lambda span: span, download_seconds=12)
    out.note(f"done in {observation.update_ms:.0f} ms; {observation.load.requests_failed} failed requests" +
             (f" (wrk: {observation.load.wrk.breakdown})" if observation.load.wrk.failed else ""))
    return observation


def pause_of(observation):
    report = getattr(observation.outcome, "report", {})
    return f"{report['pause_ms_total']:.1f} ms" if "pause_ms_total" in report else "–"


def compare(out, columns):
    """One column for each way; the rows that a person would ask for."""
    observations = list(columns.values())

    def row(label, cell):
        return [label] + [cell(observation) for observation in observations]

    out.heading("In comparison, in the same run")
    out.table([""] + list(columns), [
        row("all processes stopped for", pause_of),
        row("longest wait of a client", lambda seen: f"{seen.longest_ms:.1f} ms"),
        row("  the same while nothing happens", lambda seen: f"{seen.quiet_longest_ms:.1f} ms"),
        row("failed requests", lambda seen: str(seen.load.requests_failed)),
        row(f"connections lost, of {CLIENTS_HELD}", lambda seen: str(seen.load.connections_lost)),
        row("download in flight", lambda seen: "intact" if seen.load.download_intact else "broken"),
        row("half-sent request", lambda seen: "completed" if seen.load.half_sent_completed else "lost"),
        row("took", lambda seen: f"{seen.update_ms:.0f} ms"),
    ])
    if any("write" in seen.load.wrk.breakdown for seen in observations):
        out.note("(wrk tries again at once where nobody listens: its number of failures says how long that was)")


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that `with` ends what was started
    out = Printer()
    out.heading(f"nginx {arguments.old} → {arguments.new}: building what is not built yet")
    old_binary, new_binary = servers.build("nginx", arguments.old), servers.build("nginx", arguments.new)
    columns, results = {}, []
    if not arguments.baseline_only:
        command = update_command(arguments)
        out.heading("mcr update, in place, under load")
        columns["mcr update"], results = update_with_mcr(out, arguments, command, old_binary, new_binary)
    if not arguments.skip_baselines:
        for name, update in (("SIGUSR2 upgrade", updaters.binary_upgrade), ("stop/start", updaters.stop_and_start)):
            out.heading(f"{name}, the same fleet and load")
            columns[name] = update_with(out, arguments, update, old_binary, new_binary)
    compare(out, columns)
    failed = sum(not check.ok for check in results)
    if results:
        out.heading(f"{len(results) - failed} checks passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
