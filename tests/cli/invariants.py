"""Learned invariants: what `mcr profile` finds to be always true, and an update that ends it says so."""

import json
import re
from pathlib import Path

from cli.profile import learn
from harness import clients, pair_builds, scenario, updaters
from harness.checks import Check
from harness.pair_program import PairProgram

CONFIGURATION = pair_builds.CONFIGURATIONS[0]
PAIR = "changed_default_untouched"
NAME = "learned invariants"


def check_of(report):
    return next((check for check in report["validation"] if check["name"] == NAME), None)


def update_pair(mcr, invariants):
    """Exit status, warnings, and the check of an update with these in its profile."""
    with PairProgram(pair_builds.build(pair_builds.Pair(PAIR), CONFIGURATION)) as program:
        program.read_line()
        program.ask("state")
        profile, report = program.directory / "profile.textproto", program.directory / "report.json"
        lines = "".join(f"invariants: {json.dumps(invariant)}\n" for invariant in invariants)
        profile.write_text((pair_builds.PAIRS / "profile.textproto").read_text().replace("learned {", "learned {\n" + lines))
        status, _ = updaters.run([mcr, "update", "--pid", str(program.pid), "--to", program.path("v2"), "--profile",
                                  profile, "--report", report])
        report = json.loads(report.read_text())
        return status, report["warnings"], check_of(report)


def pair_checks(mcr):
    # The last two speak of what the versions do not have, and of what is not so.
    invariants = ["limit == 10", "counters[0] < 10", "nobody == 1", "limit == 11"]
    status, warnings, check = update_pair(mcr, invariants)
    yield Check("an update that ends an invariant goes through", status == 0, f"{status}")
    told = [warning for warning in warnings if "`limit == 10`" in warning and "`limit` = 20" in warning]
    yield Check("and warns of it, with the value", len(told) == 1, f"{warnings}")
    yield Check("of it alone", check is not None and not check["ok"] and check["checked"] == 2 and len(warnings) == 1,
                f"{check} {warnings}")
    _, warnings, check = update_pair(mcr, ["limit == 10 || limit == 20"])
    yield Check("one that goes on is no warning", check is not None and check["ok"] and not warnings, f"{check}")


def nginx_checks(context):
    with scenario.started_fleet(context.old_binary) as fleet:
        learned = Path(fleet.dir, "learned.textproto")
        busy = ["--workload", f"wrk -t1 -c4 -d2s http://127.0.0.1:{fleet.http_port}/hello.txt"]
        done = learn(context.mcr, "--pid", str(fleet.master), "-o", learned, "--seconds", "3", *busy)
        found = re.findall(r'invariants: "(.*)"', learned.read_text()) if done.returncode == 0 else []
        yield Check("invariants are learned", len(found) > 10 and "ngx_cycle != 0" in found, f"{len(found)}: {found[:5]}")
        learned.write_text(learned.read_text().replace('"ngx_cycle != 0"', '"ngx_cycle == 0"'))
        learn(context.mcr, "--pid", str(fleet.master), "-o", learned, "--seconds", "1", *busy)
        again = re.findall(r'invariants: "(.*)"', learned.read_text())
        yield Check("learning again leaves what still holds", set(again) < set(found) and "ngx_cycle == 0" not in again,
                    f"{len(again)} of {len(found)}")
        result = context.update(fleet, fleet.install(context.new_binary), "--profile", str(learned))
        check = check_of(result.report) if result.status == 0 else None
        yield Check("an update ends none of them", check is not None and check["ok"] and check["checked"] > 10,
                    f"{result.status} {result.message} {check}")
        yield Check("the server serves on", clients.fetch(fleet.http_port, "/hello.txt")[0] == 200)


def run(context):
    yield from pair_checks(context.mcr)
    yield from nginx_checks(context)
