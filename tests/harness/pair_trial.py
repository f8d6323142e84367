"""One update of one pair, in one configuration, and what is to be said about it."""

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import pair_builds, updaters
from harness.pair_program import PairProgram, PairProgramError

REFUSED_STATUSES = (3, 4)  # before the pause, and rolled back
FIXED_ADDRESS_MESSAGE = "linked to a fixed address"
UPDATED = "updated"
UPDATE_OUTCOMES = {0: UPDATED, 3: "refused", 4: "rolled back", 5: "lost", -1: "hangs"}


@dataclass(frozen=True)
class Result:
    pair: str
    configuration: str
    outcome: str  # of the update: UPDATED, "refused", "rolled back", or what went wrong
    as_expected: bool
    unharmed: bool  # all checks of the program itself went well, in whatever version it runs now
    detail: str = ""
    seconds: float = 0
    pause_ms: float = 0

    def fields(self):
        return asdict(self)


def expected_message(pair, configuration):
    """The regular expression that the refusal must match; None if the update must go through."""
    if not configuration.position_independent:
        return FIXED_ADDRESS_MESSAGE
    expectation = pair.folder / "expect"
    if not expectation.exists():
        return None
    kind, _, pattern = expectation.read_text().strip().partition(": ")
    if kind != "refused":
        raise ValueError(f"{expectation}: not `refused: PATTERN`")
    return pattern


def profile_options(pair, program):
    """A profile of annotations alone gets the part that all pairs have in common."""
    annotations = pair.folder / "profile.textproto"
    if not annotations.exists():
        return []
    text = annotations.read_text()
    if "identity {" not in text:
        text = (pair_builds.PAIRS / "profile.textproto").read_text() + text
    profile = program.directory / "profile.textproto"
    profile.write_text(text)
    return ["--profile", profile]


def update(mcr, pair, program, version):
    """Exit status, message and pause of an update to this version."""
    program.install(version)
    report = program.directory / "report.json"
    report.unlink(missing_ok=True)
    status, stderr = updaters.run([mcr, "update", "--pid", str(program.pid), "--to", program.path(version), "--report",
                                   report, *profile_options(pair, program)])
    message = next((line for line in stderr.splitlines()
                    if line.startswith("mcr: ") and not line.startswith("mcr: warning: ")), "")
    pause_ms = json.loads(report.read_text()).get("pause_ms", 0) if report.exists() else 0
    return status, message, pause_ms


def demand(program, command, expected):
    answer = program.ask(command)
    if answer != expected:
        raise PairProgramError(f"{command}: {answer}")


def demand_all_well(program, version):
    demand(program, "version", version[1:])
    if not program.executable().endswith("/" + version):
        raise PairProgramError(f"version {version} executes {program.executable()}")
    demand(program, "check", "ok")


def demand_reported(pair, program):
    expected = pair.folder / "reported"
    for line in expected.read_text().splitlines() if expected.exists() else ():
        path, _, least = line.partition(" >= ")
        value = json.loads((program.directory / "report.json").read_text())
        for key in path.split("."):
            value = value[key]
        if value < int(least):
            raise PairProgramError(f"the report has {value} for {path}")


def start(program):
    if program.read_line() != "ready":
        raise PairProgramError("does not get ready")
    demand(program, "version", "1")
    demand(program, "state", "ok")
    demand(program, "check", "ok")


def try_update(mcr, pair, configuration, program):
    pattern = expected_message(pair, configuration)
    outcome, pause_ms, message, running = "not started", 0, "", "v1"
    try:
        start(program)
        for version in pair.versions[1:]:
            status, message, pause_ms = update(mcr, pair, program, version)
            outcome = UPDATE_OUTCOMES.get(status, f"exit status {status}")
            if outcome != UPDATED:
                break
            running = version
            demand_all_well(program, running)
            demand_reported(pair, program)
        else:
            program.quit()
            return Result(pair.name, configuration.name, outcome, pattern is None, True,
                          "" if pattern is None else f"should be refused: {pattern}", pause_ms=pause_ms)
        demand_all_well(program, running)
        program.quit()
    except PairProgramError as error:
        after = f" (after: {message})" if message else ""
        return Result(pair.name, configuration.name, outcome, False, False, f"{running}: {error}{after}")
    right = status in REFUSED_STATUSES and pattern is not None and re.search(pattern, message) is not None
    return Result(pair.name, configuration.name, outcome, right, status in REFUSED_STATUSES, message)


def run(mcr, pair, configuration):
    since = time.monotonic()
    try:
        with PairProgram(pair_builds.build(pair, configuration)) as program:
            result = try_update(mcr, pair, configuration, program)
    except (pair_builds.PairBuildError, OSError) as error:
        result = Result(pair.name, configuration.name, "not started", False, False, str(error))
    return Result(**{**result.fields(), "seconds": round(time.monotonic() - since, 2)})
