"""plots.py DIR: the plots of DIR/results.json, as SVG beside it."""

import json
import statistics
import sys
from pathlib import Path

import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

matplotlib.rcParams.update({"svg.hashsalt": "mcr", "font.size": 9, "figure.figsize": (7, 3.6), "axes.grid": True,
                            "grid.alpha": 0.3})
STAGES = ("quiesce", "checkpoint", "graft", "validate", "commit")


def curves(samples, label, path):
    figure, axes = pyplot.subplots()
    for way in dict.fromkeys(each["way"] for each in samples):
        found = {}
        for each in samples:
            if each["way"] == way:
                found.setdefault(each["size"], []).append(each["longest_ms"])
        axes.plot(list(found), [statistics.median(values) for values in found.values()], marker="o", label=way)
    axes.set_xscale("symlog")
    axes.set_yscale("log")
    axes.set_xlabel(label)
    axes.set_ylabel("longest wait of a client, ms")
    axes.legend()
    save(figure, path)


def stacked(parts, path):
    figure, axes = pyplot.subplots(figsize=(7, 2.4))
    for row, stages in enumerate(parts["ways"].values()):
        # The pause begins inside of the stage that quiesces; the merge runs inside of the checkpoint.
        known = sum(stages[stage] for stage in STAGES[1:])
        left = 0
        for number, stage in enumerate(STAGES):
            width = max(stages["pause"] - known, 0) if stage == "quiesce" else stages[stage]
            axes.barh(row, width, left=left, color=f"C{number}", label=stage if row == 0 else None)
            left += width
    axes.axvline(parts["criu_frozen_ms"], color="black", linestyle="--", label="CRIU's frozen_time")
    axes.set_yticks(range(len(parts["ways"])), list(parts["ways"]))
    axes.set_xlabel("ms")
    axes.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.4), fontsize=8)
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


if __name__ == "__main__":
    main()
