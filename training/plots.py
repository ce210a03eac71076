# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The course of a training run as a picture; of several that followed one another: ``python3 -m training.plots --help``."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

NOT_ACCURACY = ("epoch", "step", "loss", "seconds", "check_false_alarms", "check_empty", "check_best_threshold")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("histories", type=Path, nargs="+", help="history.csv of each run, in order")
    parser.add_argument("--output", type=Path, default=Path("history.png"))
    options = parser.parse_args(arguments)
    plot_history(options.histories, options.output)


def plot_history(histories: list[Path], picture: Path) -> None:
    """Draw loss and accuracies over the steps of ``history.csv`` files, each going on where the one before ended."""
    rows = _joined(histories)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    loss_axes.plot(*_series(rows, "loss"))
    loss_axes.set(xlabel="step", ylabel="training loss")
    for name in (key for key in rows[0] if key not in NOT_ACCURACY):
        style = {"linewidth": 2.5, "color": "black"} if name == _first_accuracy(rows[0]) else {"linewidth": 1}
        accuracy_axes.plot(*_series(rows, name), label=name, **style)
    accuracy_axes.set(xlabel="step", ylabel="accuracy on the validation split")
    if accuracy_axes.lines:  # none before the first measurement
        accuracy_axes.legend(fontsize="small")
    for axes in (loss_axes, accuracy_axes):
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=100)


def _joined(histories: list[Path]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for history in histories:
        done = int(rows[-1]["step"]) if rows else 0
        with history.open(newline="") as file:
            rows += [row | {"step": str(done + int(row["step"]))} for row in csv.DictReader(file)]
    return rows


def _first_accuracy(row: dict[str, str]) -> str:
    return next(key for key in row if key not in NOT_ACCURACY)


def _series(rows: list[dict[str, str]], name: str) -> tuple[list[float], list[float]]:
    """Steps and values of the rows that have a value."""
    measured = [row for row in rows if row.get(name)]
    return [float(row["step"]) for row in measured], [float(row[name]) for row in measured]


if __name__ == "__main__":
    main()
