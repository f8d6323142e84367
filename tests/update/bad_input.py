"""Wrong input of every kind: one line that says so, the right exit status, and an untouched server."""

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from harness import checks, clients, proc, scenario, updaters
from harness.checks import Check

REPOSITORY = Path(__file__).resolve().parent.parent.parent
USAGE, REFUSED = 2, 3
NOBODY = 65534
KERNEL_THREAD = 0x00200000  # PF_KTHREAD in /proc/PID/stat's flags
PTRACE_SEIZE = 0x4206

MESSAGE = re.compile(r"mcr: [\w -]+: .+")


@dataclass(frozen=True)
class Case:
    name: str
    arguments: list
    statuses: tuple = (REFUSED,)
    environment: dict = None
    popen: dict = field(default_factory=dict)
    says: str = ""  # must be in the line


@dataclass(frozen=True)
class Bench:
    """A running fleet and the files that the cases spoil."""
    mcr: str
    fleet: object
    to: str
    scratch: str

    def path(self, name):
        return f"{self.scratch}/{name}"

    def spoiled(self, name, change):
        """A copy of the new version with its bytes changed."""
        Path(self.path(name)).write_bytes(change(Path(self.to).read_bytes()))
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def update(self, pid=None, to=None, *options):
        return [self.mcr, "update", "--pid", str(pid or self.fleet.master), "--to", to or self.to, *options]


# What stands behind --pid

def unused_pid():
    """Beyond the largest PID that the kernel gives away."""
    return int(Path("/proc/sys/kernel/pid_max").read_text()) + 1


def kernel_thread():
    for pid in proc.pids():
        flags = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[6])
        if flags & KERNEL_THREAD:
            return pid
    return None


def i386_program():
    """A static 32-bit program that calls pause() for ever: one segment, eight bytes of code."""
    code = bytes.fromhex("b81d000000" "cd80" "ebf7")  # again: mov $29,%eax; int $0x80; jmp again
    base, header_size = 0x08048000, 52 + 32
    size = header_size + len(code)

    def words(*values):
        return b"".join(value.to_bytes(4, "little") for value in values)

    header = (b"\x7fELF\1\1\1" + bytes(9) + bytes.fromhex("0200" "0300") + words(1, base + header_size, 52, 0, 0) +
              bytes.fromhex("3400" "2000" "0100" "0000" "0000" "0000"))
    segment = words(1, 0, base, base, size, size, 5, 0x1000)
    return header + segment + code


@contextlib.contextmanager
def running(arguments):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def traced(pid):
    """Another process traces `pid` meanwhile."""
    ready, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        failed = ctypes.CDLL(None).ptrace(PTRACE_SEIZE, pid, None, None)
        os.write(ready[1], b"1" if failed == 0 else b"0")
        os.read(go_on[0], 1)
        os._exit(0)
    try:
        if os.read(ready[0], 1) != b"1":
            raise OSError(f"cannot trace {pid}")
        yield
    finally:
        os.write(go_on[1], b"1")
        os.waitpid(child, 0)
        for descriptor in (*ready, *go_on):
            os.close(descriptor)


# What stands behind --to

def with_machine(data, machine):
    return data[:18] + machine.to_bytes(2, "little") + data[20:]


def different_program(bench):
    source = bench.path("other.c")
    Path(source).write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
    subprocess.run(["cc", "-g", "-o", bench.path("other"), source], check=True)
    return bench.path("other")


def stripped(bench):
    subprocess.run(["strip", "-o", bench.path("stripped"), bench.to], check=True)
    return bench.path("stripped")


def fifo(bench, name):
    """Opening it waits for somebody to write to it."""
    if not os.path.exists(bench.path(name)):
        os.mkfifo(bench.path(name), 0o755)
    return bench.path(name)


def huge(bench):
    """A file of 8 GiB that takes no room and begins as a program does."""
    path = bench.spoiled("huge", lambda data: data[:4096])
    os.truncate(path, 8 << 30)
    return path


def corrupt_debug_information(data):
    """0xff where the unit headers were."""
    with tempfile.TemporaryDirectory() as directory:
        whole, part = Path(directory) / "whole", Path(directory) / "part"
        whole.write_bytes(data)
        subprocess.run(["objcopy", "--decompress-debug-sections", "--dump-section", f".debug_info={part}", whole], check=True)
        part.write_bytes(b"\xff" * part.stat().st_size)
        subprocess.run(["objcopy", "--decompress-debug-sections", "--update-section", f".debug_info={part}", whole], check=True)
        return whole.read_bytes()


def not_executable(bench):
    path = bench.spoiled("not-executable", lambda data: data)
    os.chmod(path, 0o644)
    return path


# What stands behind --profile

def profile(bench, name, text):
    Path(bench.path(name)).write_text(text)
    return ("--profile", bench.path(name))


def for_nobody(bench):
    """mcr where an unprivileged user can reach it, which is not true of the build's output."""
    return shutil.copy2(bench.mcr, bench.path("mcr"))


def profile_of_another_program(bench):
    text = (REPOSITORY / "profiles/nginx.textproto").read_text()
    text = re.sub(r'(name|executable): "nginx\*?"', r'\1: "another"', text)
    return profile(bench, "another.textproto", text)


def plain_cases(bench):
    """Those that need nothing else to run or be taken away meanwhile."""
    either = (USAGE, REFUSED)
    return [
        Case("no such PID", bench.update(unused_pid()), either),
        Case("no PID at all", [bench.mcr, "update", "--to", bench.to], (USAGE,)),
        Case("PID 0", bench.update()[:2] + ["--pid", "0", "--to", bench.to], either),
        Case("a negative PID", bench.update()[:2] + ["--pid=-1", "--to", bench.to], either),
        Case("PID 1", bench.update(1), either),
        Case("PID is not a number", bench.update("master"), (USAGE,)),
        Case("the PID of mcr itself",
             ["sh", "-c", 'exec "$0" update --pid $$ --to "$1"', bench.mcr, bench.to], either),
        Case("--to is not given, and nothing on disk is newer", bench.update()[:-2], either),
        Case("--to does not exist", bench.update(to=bench.path("nothing")), either),
        Case("--to is a directory", bench.update(to=bench.scratch), either),
        Case("--to is empty", bench.update(to=bench.spoiled("empty", lambda data: b"")), either),
        Case("--to is not ELF", bench.update(to=bench.spoiled("script", lambda data: b"#!/bin/sh\nexit 0\n")), either),
        Case("--to is cut off", bench.update(to=bench.spoiled("cut", lambda data: data[:100000])), either),
        Case("--to is for another machine",
             bench.update(to=bench.spoiled("arm", lambda data: with_machine(data, 183))), either),
        Case("--to is not executable", bench.update(to=not_executable(bench)), either),
        Case("--to is a FIFO", bench.update(to=fifo(bench, "fifo")), either, says="regular file"),
        Case("--to is a device", bench.update(to="/dev/zero"), either),
        Case("--to is huge", bench.update(to=huge(bench)), either),
        Case("--to has corrupt debug information",
             bench.update(to=bench.spoiled("corrupt", corrupt_debug_information)), either,
             says="corrupt debug information"),
        Case("--to is given twice", [*bench.update(), "--to", bench.to], (USAGE,)),
        Case("--to is a different program", bench.update(to=different_program(bench))),
        Case("--to is stripped and has no debug file", bench.update(to=stripped(bench))),
        Case("--main-only, and processes share memory", bench.update(None, None, "--main-only"), says="shares memory"),
        Case("the profile does not exist", bench.update(None, None, "--profile", bench.path("nothing")), either),
        Case("the profile is a directory", bench.update(None, None, "--profile", bench.scratch), either),
        Case("the profile is a FIFO", bench.update(None, None, "--profile", fifo(bench, "fifo")), either),
        Case("the profile is nested a million times",
             bench.update(None, None, *profile(bench, "nested", "learned { " * 50000)), either),
        Case("the profile is huge", bench.update(None, None, *profile(bench, "huge-profile", "#" * (2 << 20))), either),
        Case("the profile cannot be parsed", bench.update(None, None, *profile(bench, "garbage", "} {{ no")), either),
        Case("the profile is for another program",
             bench.update(None, None, *profile_of_another_program(bench)), either),
        Case("no root", [for_nobody(bench), *bench.update()[1:]], either,
             popen={"user": NOBODY, "group": NOBODY, "extra_groups": []}),
        Case("an option that there is not", bench.update(None, None, "--nonsense"), (USAGE,)),
        Case("a time-out of nothing", bench.update(None, None, "--timeout", "0"), (USAGE,)),
        Case("a checkpoint of another kind", bench.update(None, None, "--checkpoint", "paper"), (USAGE,)),
        Case("the report cannot be written", bench.update(None, None, "--report", bench.path("no/report")), (USAGE,)),
        Case("--dry-run of what would be refused", bench.update(None, None, "--dry-run", "--require", "1 == 2"),
             says="--require"),
        Case("criu is a directory", bench.update(None, None, "--criu", bench.scratch), says="criu"),
        Case("criu is another program", bench.update(None, None, "--criu", "/bin/true"), says="CRIU"),
        Case("criu is missing", bench.update(), environment={
            "PATH": bench.scratch, "HOME": bench.scratch, "XDG_CACHE_HOME": bench.scratch,
            "MCR_CRIU": bench.path("nothing")}),
    ]


def try_case(bench, case, before):
    """One check for the status, the one line and the server; its detail tells what is wrong."""
    status, stderr = updaters.run(case.arguments, env=case.environment, cwd="/", **case.popen)
    lines = [line for line in stderr.splitlines() if line.startswith("mcr: ")]
    wrong = []
    if status not in case.statuses:
        wrong.append(f"exit status {status} instead of {' or '.join(map(str, case.statuses))}")
    if len(lines) != 1 or not MESSAGE.fullmatch(lines[0]) or case.says not in lines[0]:
        wrong.append(f"not one line `mcr: STAGE: …` but {stderr!r}")
    untouched = (checks.same_processes(bench.fleet, before), checks.undisturbed(bench.fleet))
    wrong += [f"{check.name}: {check.detail}" for check in untouched if not check.ok]
    if clients.fetch(bench.fleet.http_port, "/hello.txt")[0] != 200:
        wrong.append("the server does not answer")
    return Check(case.name, not wrong, "; ".join(wrong) or f"{status}, {lines[0]}")


def try_kernel_thread(bench, before):
    pid = kernel_thread()
    if pid is None:
        return Check("the PID of a kernel thread", True, "none is visible here", skipped=True)
    return try_case(bench, Case("the PID of a kernel thread", bench.update(pid)), before)


def try_other_architecture(bench, before):
    path = bench.path("i386")
    Path(path).write_bytes(i386_program())
    os.chmod(path, 0o755)
    try:
        with running([path]) as pid:
            return try_case(bench, Case("a process of another architecture", bench.update(pid)), before)
    except OSError as error:
        return Check("a process of another architecture", True, f"this kernel runs none: {error}", skipped=True)


def try_traced(bench, before):
    with traced(bench.fleet.master):
        # The tracer is there on purpose, so this case cannot demand that there is none.
        case = Case("a process that is traced already", bench.update())
        status, stderr = updaters.run(case.arguments, cwd="/")
    lines = [line for line in stderr.splitlines() if MESSAGE.fullmatch(line)]
    ok = status == REFUSED and len(lines) == 1 and checks.same_processes(bench.fleet, before).ok
    return Check(case.name, ok, f"{status}, {lines[0] if lines else stderr!r}")


def run(context):
    with (scenario.started_fleet(context.old_binary) as fleet,
          tempfile.TemporaryDirectory(prefix="mcr-bad-input-", dir="/var/tmp") as scratch):
        os.chmod(scratch, 0o755)
        bench = Bench(str(context.mcr), fleet, fleet.install(context.new_binary), scratch)
        before = fleet.snapshot()
        for case in plain_cases(bench):
            yield try_case(bench, case, before)
        yield try_kernel_thread(bench, before)
        yield try_other_architecture(bench, before)
        yield try_traced(bench, before)
        yield checks.clean_error_log(fleet)
