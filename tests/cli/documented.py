"""Every command and option is in the manual page and is completed; what a person sees on a terminal."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

from harness import scenario
from harness.checks import Check

DOCS = Path(__file__).resolve().parent.parent.parent / "mcr/docs"

COMPLETE = """
PATH="$1:$PATH"
source "$2"
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_mcr
printf '%s\\n' "${COMPREPLY[@]}"
"""


def help_of(mcr, *command):
    return subprocess.run([mcr, *command, "--help"], check=True, capture_output=True, text=True).stdout


def block(text, title):
    return text.partition(f"\n{title}:\n")[2].partition("\n\n")[0].splitlines()


def commands(mcr):
    return [match[1] for line in block(help_of(mcr), "Subcommands") if (match := re.match(r"  ([a-z]+) ", line))]


def options(mcr, command):
    """Every way to write each option."""
    names = []
    for line in block(help_of(mcr, command), "Options"):
        if match := re.match(r"  (-\S+)", line):
            names += match[1].split(",")
    return names


def completed(mcr, *words):
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", mcr.parent, DOCS / "mcr.bash-completion", "mcr", *words],
                          check=True, capture_output=True, text=True)
    return done.stdout.split()


def documentation_checks(mcr):
    all_commands = commands(mcr)
    manual = (DOCS / "mcr.1").read_text().replace("\\-", "-")
    synopsis = manual.partition(".SH SYNOPSIS")[2].partition(".SH")[0]
    missing = [name for name in all_commands if f".B mcr {name}\n" not in synopsis]
    yield Check("the manual's synopsis has every command", len(all_commands) > 5 and not missing,
                f"{' '.join(all_commands)}" + (f"; not {' '.join(missing)}" if missing else ""))
    known = {option for name in all_commands for option in options(mcr, name)} - {"-h", "--help"}
    missing = sorted(option for option in known if f"\\fB{option}\\fR" not in manual)
    yield Check("the manual describes every option", len(known) > 5 and not missing, " ".join(missing) or f"{len(known)}")
    strangers = sorted(set(re.findall(r"\\fB(--[a-z-]+)\\fR", manual)) - known)
    yield Check("the manual describes no option that there is not", not strangers, " ".join(strangers))
    yield manual_renders()

    offered = completed(mcr, "")
    yield Check("every command is completed", set(all_commands) <= set(offered), " ".join(offered))
    missing = [f"{name} {option}" for name in all_commands if name != "help"
               for option in set(options(mcr, name)) - set(completed(mcr, name, "-"))]
    yield Check("every option is completed", not missing, " ".join(missing))
    yield Check("values of an option are completed", completed(mcr, "update", "--checkpoint", "cr") == ["criu"])


def manual_renders():
    name = "the manual renders without a warning"
    if shutil.which("man") is None:
        return Check(name, False, "man is not installed: apt-get install man-db", skipped=True)
    rendered = subprocess.run(["man", "--warnings", "-l", DOCS / "mcr.1"], env={**os.environ, "MANWIDTH": "100"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return Check(name, rendered.returncode == 0 and not rendered.stderr, rendered.stderr.strip())


def help_checks(mcr):
    overview = subprocess.run([mcr, "help"], capture_output=True, text=True).stdout
    topics = re.search(r"^Topics of .*: (.*)\.$", overview, re.M)[1].split(", ")
    texts = {topic: subprocess.run([mcr, "help", topic], capture_output=True, text=True) for topic in topics}
    yield Check("every topic has its text", len(topics) >= 5 and
                all(done.returncode == 0 and done.stdout.count("\n") > 5 for done in texts.values()), " ".join(topics))
    wide = [topic for topic, done in texts.items() if any(len(line) > 100 for line in done.stdout.splitlines())]
    yield Check("no line of them is longer than 100 characters", not wide, " ".join(wide))
    unknown = subprocess.run([mcr, "help", "nonsense"], capture_output=True, text=True)
    yield Check("an unknown topic is a usage error that names the topics", unknown.returncode == 2 and
                topics[0] in unknown.stderr, unknown.stderr.strip())
    yield Check("help of a command is its --help",
                subprocess.run([mcr, "help", "plan"], capture_output=True, text=True).stdout == help_of(mcr, "plan"))


def update_on_terminal(mcr, fleet, to):
    """Exit status, what went to the terminal (standard error), and what to standard output."""
    terminal, behind = pty.openpty()
    with subprocess.Popen([mcr, "update", "--pid", str(fleet.master), "--to", to], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=behind) as process:
        os.close(behind)
        shown = b""
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:  # EIO: the other end is closed
            pass
        os.close(terminal)
        summary = process.stdout.read().decode()
    return process.returncode, shown.decode(), summary


def progress_checks(context):
    with scenario.started_fleet(context.old_binary) as fleet:
        status, shown, summary = update_on_terminal(context.mcr, fleet, fleet.install(context.new_binary))
        yield Check("on a terminal, the time of a stage counts while it is under way",
                    status == 0 and len(set(re.findall(r"\r\x1b\[Kinspect +(\d+\.\d) s", shown))) > 1,
                    f"exit status {status}")
        left = [line.rpartition("\x1b[K")[2].rstrip("\r") for line in shown.split("\n") if line]
        stages = [line.split()[0] for line in left]
        yield Check("what is left of it is a line per stage",
                    stages == ["inspect", "rehearse", "quiesce", "checkpoint", "merge", "graft", "validate", "commit"],
                    " ".join(stages))
        lines = summary.splitlines()
        yield Check("the summary has at most ten lines and begins with the outcome",
                    0 < len(lines) <= 10 and lines[0].startswith("Updated"), f"{len(lines)} lines: {lines[:1]}")
        piped = context.update(fleet, fleet.install(context.old_binary))
        yield Check("elsewhere, progress is plain lines", piped.status == 0 and "\x1b" not in piped.stderr and
                    piped.stderr.startswith("inspect "), piped.stderr.splitlines()[:1])


def run(context):
    yield from documentation_checks(context.mcr)
    yield from help_checks(context.mcr)
    yield from progress_checks(context)
