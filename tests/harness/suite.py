"""What the suites beside tests/run have in common: sections, one line per check, a verdict at the end."""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path

from harness.checks import Check

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def parse_arguments(prog, description, sections):
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--mcr", default=REPOSITORY / "bazel-bin/mcr/cli/mcr", type=Path, metavar="PATH")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(sections)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(sections)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are: {', '.join(sections)}")
    if not os.access(arguments.mcr, os.X_OK):
        parser.error(f"{arguments.mcr} is no program; build it with: bazel build //mcr/cli:mcr")
    return arguments


def checks_of(run, where):
    """A section that breaks off counts as one failed check; the others still run."""
    try:
        yield from run(where)
    except Exception as error:
        traceback.print_exc()
        yield Check("runs to its end", False, f"{type(error).__name__}: {error}")


def print_check(section, check):
    verdict = "skipped" if check.skipped else "ok" if check.ok else "FAILED"
    print(f"{verdict:7} {section}: {check.name}" + (f" — {check.detail}" if check.detail else ""), flush=True)


def main(prog, description, sections, make_context):
    """`sections`: name -> function that is given make_context(mcr) and yields checks. Returns the exit status."""
    arguments = parse_arguments(prog, description, sections)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that `with` ends what was started
    where = make_context(arguments.mcr.resolve())
    passed = failed = 0
    for name in arguments.sections or sections:
        for check in checks_of(sections[name], where):
            print_check(name, check)
            if not check.skipped:
                passed, failed = passed + check.ok, failed + (not check.ok)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
