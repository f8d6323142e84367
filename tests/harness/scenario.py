"""The main scenario: a fleet under load is brought to a new version, and what clients saw of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import checks, updaters
from harness.fleet import Fleet
from harness.load import Load, LoadResult

QUIET_SECONDS = 3
AFTERMATH_SECONDS = 1


@dataclass(frozen=True)
class Observation:
    outcome: Any
    inspected: Any
    load: LoadResult
    download_in_flight: bool  # whether the update ended before the download did
    quiet_longest_ms: float  # the longest wait of the probing client while nothing happened
    longest_ms: float        # the same from the beginning of the update until shortly after its end
    update_ms: float


def under_load(fleet, update, span_of, inspect=lambda: None, download_seconds=15):
    """Updates while all clients are busy. `span_of(outcome)` says when the update was under way; `inspect` looks at the
    processes while the load still goes on."""
    with Load(fleet, download_seconds) as load:
        quiet = load.settle(QUIET_SECONDS)
        outcome = update()
        in_flight = load.download_in_flight()
        _, until = load.settle(AFTERMATH_SECONDS)
        inspected = inspect()
        result = load.finish()
    span = span_of(outcome)
    return Observation(outcome, inspected, result, in_flight, result.latencies.longest_ms(*quiet),
                       result.latencies.longest_ms(span.since, until), span.ms)


def started_fleet(binary, **options):
    """A fleet that was reloaded once, as servers that have run for a while were."""
    fleet = Fleet(binary, **options)
    try:
        fleet.start()
        fleet.reload()
    except BaseException:
        fleet.destroy()
        raise
    return fleet


def update_with_mcr(fleet, command, new_binary, download_seconds=15):
    """The main job: returns what was observed, and the checks of all that must hold afterwards."""
    old = checks.Version.of(str(Path(fleet.started_as).resolve()))
    before = fleet.snapshot()
    new = checks.Version.of(fleet.install(new_binary))
    observation = under_load(
        fleet, lambda: updaters.mcr_update(command, fleet, new.path), lambda result: result.span,
        lambda: checks.image_checks(fleet, before, old, new) + [checks.answers_as_repaired(fleet)], download_seconds)
    result = observation.outcome
    return observation, [
        checks.Check("mcr update reports success", result.status == 0, result.message),
        checks.Check("the download was under way all the time", observation.download_in_flight),
        *checks.load_checks(observation.load),
        *observation.inspected,
        checks.clean_error_log(fleet),
        *checks.operation_checks(fleet),
    ]
