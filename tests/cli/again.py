"""An update that is refused for what memory happens to hold is tried again by itself."""

import json
import subprocess

from harness import pair_builds
from harness.checks import Check
from harness.pair_program import PairProgram

CONFIGURATION = pair_builds.CONFIGURATIONS[0]
PAIR = "doubtful_word"  # until it is checked for the second time
AGAIN = "trying again"
ATTEMPTS = 3


def update(mcr, program, at_each_attempt):
    """Exit status, report, and the lines of stderr; `at_each_attempt` is called for each that is not the last."""
    report = program.directory / "report.json"
    process = subprocess.Popen([mcr, "update", "--pid", str(program.pid), "--to", program.path("v2"), "--report", report],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line.rstrip())
        if AGAIN in line:
            at_each_attempt()
    return process.wait(), json.loads(report.read_text()), lines


def trial(mcr, at_each_attempt):
    with PairProgram(pair_builds.build(pair_builds.Pair(PAIR), CONFIGURATION)) as program:
        program.read_line()
        program.ask("state")
        status, report, lines = update(mcr, program, lambda: at_each_attempt(program))
        return status, report, lines, program.ask("version"), program.ask("check")


def change(program):
    for _ in range(2):
        program.ask("check")


def run(context):
    status, report, lines, version, check = trial(context.mcr, change)
    yield Check("a word that is gone when it is looked at again does not stand in the way",
                (status, version, check, report["attempts"]) == (0, "2", "ok", 2), lines[-1])
    status, report, lines, version, check = trial(context.mcr, lambda _: None)
    tries = sum(AGAIN in line for line in lines)
    yield Check("one that stays is refused in the end, by its address",
                (status, version, check, report["attempts"], tries) == (3, "1", "ok", ATTEMPTS, ATTEMPTS - 1)
                and "the word at 0x" in lines[-1], lines[-1])
