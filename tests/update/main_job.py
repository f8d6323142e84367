"""The demo's checks, with a shorter load, for both ways in which a new version gets on disk."""

from dataclasses import replace

from harness import scenario, updaters


def run(context):
    command = updaters.default_command(context.mcr)
    for layout in ("beside", "replaced"):
        with scenario.started_fleet(context.old_binary, layout=layout) as fleet:
            _, results = scenario.update_with_mcr(fleet, command, context.new_binary, download_seconds=20)
        for check in results:
            yield replace(check, name=f"{layout}: {check.name}")
