"""State filters on a real server: --require, true, false, and wrong in every way."""

import json
import subprocess

from harness import checks, clients, scenario
from harness.checks import Check

REFUSED, ROLLED_BACK = 3, 4
OPEN = 7  # connections, kept open while the filters look at them

FEW = "ngx_stat_active && *ngx_stat_active < 5"
TEXTS = 'ngx_cycle->conf_file.len > 0 && *ngx_cycle->conf_file.data == \'/\''

# What is wrong with it before anything is paused, and words of the message.
WRONG = [
    ("ngx_stat_activ && 1", ("no variable `ngx_stat_activ`", "column 1", "did you mean `ngx_stat_active`")),
    ("*ngx_stat_active <", ("a value is expected, not the end", "column 19")),
    ("*ngx_cycle > 1", ("`struct ngx_cycle_s`", "name one of its fields")),
    ("ngx_cycle->nonsense", ("has no field `nonsense`",)),
    ("ngx_getpid()", ("functions are not called",)),
]


def plan(context, fleet, to, expression):
    return subprocess.run([context.mcr, "plan", "--pid", str(fleet.master), "--to", to, "--json", "--require", expression],
                          capture_output=True, text=True)


def wrong_checks(context, fleet, to, before):
    for expression, words in WRONG:
        result = context.update(fleet, to, "--require", expression)
        missing = [word for word in words if word not in result.message]
        ok = result.status == REFUSED and not missing and checks.same_processes(fleet, before).ok
        yield Check(f"`{expression}` is refused before the pause", ok, f"{result.status}, {result.message}")


def pause_checks(context, fleet, to, before):
    false = context.update(fleet, to, "--require", FEW)
    yield Check("a filter that is false rolls back and shows the value",
                false.status == ROLLED_BACK and f"`*ngx_stat_active` = {OPEN}" in false.message and
                false.report["validation"][-1]["ok"] is False and checks.same_processes(fleet, before).ok,
                f"{false.status}, {false.message}")
    nothing = context.update(fleet, to, "--require", "*(int *)(ngx_cycle->files_n - ngx_cycle->files_n)")
    yield Check("a null pointer is named", nothing.status == ROLLED_BACK and "is null" in nothing.message,
                f"{nothing.status}, {nothing.message}")
    planned = plan(context, fleet, to, FEW)
    yield Check("plan evaluates it on the running server",
                planned.returncode == REFUSED and f"`*ngx_stat_active` = {OPEN}" in planned.stdout, planned.stderr)
    both = context.update(fleet, to, "--require", TEXTS, "--require", f"*ngx_stat_active == {OPEN}", "--require",
                          "ngx_process <= 4 && ngx_pagesize == 4096")
    filters = [check for check in both.report["validation"] if check["name"] == "state filter"]
    yield Check("filters that hold in every process let the update through",
                both.status == 0 and len(filters) == 3 and all(check["ok"] and check["checked"] >= 3 for check in filters),
                f"{both.status}, {both.message} {json.dumps(filters)}")


def run(context):
    with scenario.started_fleet(context.old_binary) as fleet:
        before = fleet.snapshot()
        to = fleet.install(context.new_binary)
        yield from wrong_checks(context, fleet, to, before)
        idle = clients.IdleConnections(lambda: clients.connect(fleet.http_port), OPEN)
        try:
            yield from pause_checks(context, fleet, to, before)
            yield Check("the open connections answer", idle.lost() == 0)
        finally:
            idle.close()
        yield checks.clean_error_log(fleet)
