"""plots.py DIR: the plots of DIR/results.json, as SVG beside it."""

import json
import statistics
import sys
from pathlib import Path

import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot, ticker  # noqa: E402

matplotlib.rcParams.update({"svg.hashsalt": "mcr", "font.size": 9, "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.3,
                            "axes.spines.top": False, "axes.spines.right": False})
STAGES = ("quiesce", "checkpoint", "graft", "validate", "commit")
# One way, one look in all plots.
LOOKS = {"mcr, twin": ("C0", "o"), "mcr, CRIU": ("C9", "s"), "nginx, SIGUSR2": ("C2", "^"), "stop, start": ("C3", "v"),
         "criu dump, restore": ("C1", "D")}
FIELDS = {"pause_ms": "pause, ms", "longest_ms": "longest wait of a client, ms"}


def medians(samples, way, field):
    """Size -> median; without what was not measured."""
    found = {}
    for each in samples:
        if each["way"] == way and each[field] is not None:
            found.setdefault(each["size"], []).append(each[field])
    return {size: statistics.median(values) for size, values in sorted(found.items())}


def curves(samples, label, path):
    figure, both = pyplot.subplots(1, 2, figsize=(8, 3.6), sharex=True, sharey=True)
    sizes = sorted({each["size"] for each in samples})
    for axes, (field, title) in zip(both, FIELDS.items()):
        for way in dict.fromkeys(each["way"] for each in samples):
            known = medians(samples, way, field)
            colour, marker = LOOKS[way]
            axes.plot(list(known), list(known.values()), marker=marker, markersize=4, color=colour, label=way)
        axes.set_title(title, fontsize=9)
        axes.set_xscale("symlog")
        axes.set_yscale("log")
        axes.set_xticks(sizes)
        axes.get_xaxis().set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.get_yaxis().set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.minorticks_off()
        axes.set_xlabel(label)
    handles = {name: handle for axes in both for handle, name in zip(*axes.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), ncol=len(handles), loc="upper center", fontsize=8, frameon=False,
                  bbox_to_anchor=(0.5, 1.04))
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    save(figure, path)


def bars(axes, row, widths, colours):
    left = 0
    for width, (name, colour) in zip(widths, colours.items()):
        axes.barh(row, width, left=left, color=colour, height=0.6, label=name)
        left += width
    axes.annotate(f"{left:.1f} ms", (left, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)


def stacked(parts, path):
    figure, axes = pyplot.subplots(figsize=(8, 2.8))
    colours = {stage: f"C{number}" for number, stage in enumerate(STAGES)}
    for row, stages in enumerate(parts["ways"].values()):
        # The pause begins inside of the stage that quiesces; the merge runs inside of the checkpoint.
        known = sum(stages[stage] for stage in STAGES[1:])
        bars(axes, row, [max(stages["pause"] - known, 0), *(stages[stage] for stage in STAGES[1:])], colours)
    floor = parts["floor"]
    bars(axes, len(parts["ways"]), [floor["stop_ms"], floor["fork_ms"], floor["copy_ms"]],
         {"floor: stop": "0.35", "floor: fork": "0.6", "floor: copy": "0.8"})
    axes.axvline(parts["criu_frozen_ms"], color="black", linestyle="--", linewidth=1, label="CRIU's frozen_time")
    axes.set_yticks(range(len(parts["ways"]) + 1), [*parts["ways"], "floor"])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("ms")
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles))
    axes.legend(known.values(), known.keys(), ncol=5, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8,
                frameon=False)
    save(figure, path)


def steady(rows, path):
    figure, both = pyplot.subplots(1, 2, figsize=(8, 2.4), sharey=True)
    for axes, (field, title) in zip(both, {"requests": "requests per second", "p99": "99th percentile"}.items()):
        axes.boxplot([[each[field] for each in rows[when]] for when in ("before", "after")],
                     labels=["before the update", "after it"], vert=False, widths=0.5)
        axes.axvline(1, color="black", linestyle="--", linewidth=1)
        axes.set_title(f"{title} (untouched server = 1)", fontsize=9)
    both[0].invert_yaxis()
    figure.tight_layout()
    save(figure, path)


def save(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def main():
    directory = Path(sys.argv[1])
    results = json.loads((directory / "results.json").read_text())
    curves(results["connections"], "idle connections", directory / "connections.svg")
    curves(results["heap"], "MiB of data", directory / "heap.svg")
    stacked(results["parts"], directory / "parts.svg")
    steady(results["steady"], directory / "steady.svg")


if __name__ == "__main__":
    main()
