"""A downgrade that would leave a pointer to a function that the older version lacks is refused by name.

After a reload under the repaired version, its compiled scripts hold ngx_http_script_complex_value_end_code, which the
older version does not have.
"""

from harness import checks, scenario
from harness.checks import Check

LACKING_FUNCTION = "ngx_http_script_complex_value_end_code"


def run(context):
    with scenario.started_fleet(context.new_binary) as fleet:
        current = checks.Version.of(fleet.install(context.new_binary))
        before = fleet.snapshot()
        result = context.update(fleet, fleet.install(context.old_binary))
        yield Check("the downgrade is refused or rolled back", result.status in (3, 4), f"exit status {result.status}")
        yield Check("the message names the function", LACKING_FUNCTION in result.message, result.message)
        yield checks.same_processes(fleet, before)
        yield checks.runs_file(fleet, current)
        yield checks.answers_as_repaired(fleet)
        yield checks.clean_error_log(fleet)
