"""Several servers in one update: all of them run the new version, or none does."""

import contextlib
import json
import subprocess
from pathlib import Path

from harness import checks, pair_builds, updaters
from harness.checks import Check
from harness.pair_program import PairProgram, PairProgramError
from update.context import BusyFleet
from update.faults import STAGES

USAGE, REFUSED, ROLLED_BACK = 2, 3, 4
CONFIGURATION = pair_builds.Configuration("gcc", "-O2")
FIRST, SECOND = "field_added_in_the_middle", "callbacks_in_heap"


@contextlib.contextmanager
def pair_program(name):
    with PairProgram(pair_builds.build(pair_builds.Pair(name), CONFIGURATION)) as program:
        if program.read_line() != "ready" or program.ask("state") != "ok":
            raise PairProgramError(f"{name} does not start")
        yield program


def wrong_with(program, version):
    """What is not as it should be in a program that runs this version; "" if all is well."""
    answers = {command: program.ask(command) for command in ("version", "check")}
    good = answers == {"version": version[1:], "check": "ok"} and program.executable().endswith("/" + version)
    return "" if good else f"{answers}, executes {program.executable()}"


def run_mcr(context, directory, arguments):
    """Exit status, the lines that mcr owes for it, and the report."""
    report = Path(directory) / "together.json"
    report.unlink(missing_ok=True)
    status, stderr = updaters.run([context.mcr, "update", *map(str, arguments), "--report", report])
    lines = [line for line in stderr.splitlines()
             if line.startswith("mcr: ") and not line.startswith("mcr: warning: ")]
    return status, lines, json.loads(report.read_text()) if report.exists() else {}


def towards(program, version="v2"):
    return ["--pid", program.pid, "--to", program.path(version)]


def unharmed(name, context, programs, arguments, expected, words=()):
    """An update that must not take place leaves all programs as they were, and says in one line why."""
    status, lines, _ = run_mcr(context, programs[0].directory, arguments)
    wrong = [f"exit status {status}"] if status != expected else []
    if len(lines) != 1 or not all(word in lines[0] for word in words):
        wrong.append(f"says {lines}")
    wrong += filter(None, (wrong_with(program, "v1") for program in programs))
    return Check(name, not wrong, "; ".join(wrong) or f"{status}, {lines[0]}")


def refusals(context, programs):
    first, second = programs
    both = [*towards(first), *towards(second)]
    yield unharmed("more --to than --pid", context, programs, [*towards(first), "--to", second.path("v2")], USAGE, ["--to"])
    yield unharmed("two --to behind one of two --pid", context, programs,
                   ["--pid", second.pid, *towards(first), "--to", second.path("v2"), "--pid", 1], USAGE, ["--to"])
    yield unharmed("the same --pid twice", context, programs, [*towards(first), *towards(first)], USAGE, ["twice"])
    yield unharmed("the second one's program is that of the first", context, programs,
                   [*towards(first), "--pid", second.pid, "--to", first.path("v2")], REFUSED, [f"PID {second.pid}"])
    yield unharmed("the second does not exist", context, programs, [*towards(first), "--pid", 2**22 + 1, "--to", "/bin/true"],
                   REFUSED, [str(2**22 + 1)])
    yield unharmed("the second has nothing newer on disk", context, programs, [*towards(first), "--pid", second.pid],
                   REFUSED, ["--to", f"PID {second.pid}"])
    yield unharmed("a filter of the second does not hold", context, programs,
                   [*both, "--require", "1 == 2"], ROLLED_BACK, ["--require", f"PID {second.pid}"])
    for fault in STAGES:
        expected = REFUSED if fault in ("inspect", "rehearse") else ROLLED_BACK
        yield unharmed(f"a fault at {fault}", context, programs, [*both, "--inject-fault", fault], expected, [fault])


def success(context, programs):
    first, second = programs
    status, lines, report = run_mcr(context, first.directory, [*towards(first), *towards(second)])
    wrong = [text for text in (wrong_with(program, "v2") for program in programs) if text]
    yield Check("both are updated", status == 0 and not wrong, f"{status}, {lines} {wrong}")
    pids = [program.pid for program in programs]
    parts = report.get("components", [])
    yield Check("the report tells of each", [part["pid"] for part in parts] == pids and
                [part["new"]["program"] for part in parts] == [program.path("v2") for program in programs] and
                set(map(str, pids)) == set(report["pause_ms"]), f"{[part['pid'] for part in parts]}, {report.get('pause_ms')}")
    yield Check("and of all together", report["pointers"]["retargeted"] ==
                sum(part["pointers"]["retargeted"] for part in parts) > 0, str(report["pointers"]["retargeted"]))


def planned(context, programs):
    first, second = programs
    done = subprocess.run([context.mcr, "plan", *map(str, [*towards(first), *towards(second)]), "--json"],
                          capture_output=True, text=True)
    plans = json.loads(done.stdout or "{}").get("components", [])
    yield Check("plan tells of each", done.returncode == 0 and
                [plan["pid"] for plan in plans] == [program.pid for program in programs], f"{done.returncode} {done.stderr}")


def with_nginx(context):
    """A busy server beside a small one: nobody loses anything, whether it works out or not."""
    with BusyFleet(context, wrk=True) as busy, pair_program(FIRST) as program:
        fleet = busy.fleet
        before = fleet.snapshot()
        both = ["--pid", fleet.master, "--to", fleet.install(context.new_binary), *towards(program)]
        for arguments, expected, version in ((["--inject-fault", "commit"], ROLLED_BACK, "v1"), ([], 0, "v2")):
            status, lines, report = run_mcr(context, fleet.dir, [*both, *arguments])
            wrong = wrong_with(program, version)
            same = checks.same_processes(fleet, before)
            yield Check(f"nginx and {FIRST}: {report.get('outcome')}", status == expected and not wrong and same.ok,
                        f"{status}, {lines} {wrong} {same.detail}")
        yield checks.answers_as_repaired(fleet)
        _, results = busy.finish()
        yield from results
        yield checks.clean_error_log(fleet)


def run(context):
    with pair_program(FIRST) as first, pair_program(SECOND) as second:
        programs = (first, second)
        yield from refusals(context, programs)
        yield from planned(context, programs)
        yield from success(context, programs)
    yield from with_nginx(context)
