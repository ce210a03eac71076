# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What ``evaluate`` leaves: a table beside the published figures, JSON, CSV and a plot."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.output_files import write_whole
from pose_resnet_ros.tools.evaluate.coco_evaluation import MEASURES


@dataclass(frozen=True)
class Run:
    """One model on one data set. measures and published: by the names of ``MEASURES``, 0..1; published may be empty."""

    model: str
    boxes: str
    flip_test: bool
    provider: str
    images: int
    persons: int
    ms_per_person: float
    images_per_second: float
    measures: dict[str, float]
    published: dict[str, float]


def table(run: Run) -> str:
    """Our figures, the published ones below, and the difference."""
    lines = [_line("", MEASURES), _line("measured", [f"{run.measures[name]:.3f}" for name in MEASURES])]
    if run.published:
        lines.append(_line("published", [_figure(run.published.get(name)) for name in MEASURES]))
        lines.append(_line("difference", [_difference(run, name) for name in MEASURES]))
    head = f"{run.model}, boxes: {run.boxes}, flip test {'on' if run.flip_test else 'off'}, {run.provider}"
    speed = (
        f"{run.images} images, {run.persons} persons, {run.ms_per_person:.1f} ms a person (crop, network, decoding), "
        f"{run.images_per_second:.2f} images a second"
    )
    return "\n".join([head, *lines, speed])


PUBLISHED_WITH = (
    "The published rows were measured with a detector of person AP 56.4 and the flip test: compare with --boxes FILE of that"
    " detector and --flip-test. With ground-truth boxes figures are higher."
)


def write_json(path: Path, runs: Sequence[Run]) -> None:
    """A list of runs."""
    write_whole(path, (json.dumps([asdict(run) for run in runs], indent=1) + "\n").encode(), name="json")


def result_file(path: Path, model: str, models: Sequence[str]) -> Path:
    """Where the rows of one of these models go: with several each gets a file, named after it."""
    return path if len(models) == 1 else path.with_name(f"{path.stem}_{Path(model).stem}{path.suffix}")


def write_results(path: Path, rows: list[dict[str, Any]]) -> None:
    """COCO result rows."""
    write_whole(path, json.dumps(rows).encode(), name="results")


def write_csv(path: Path, runs: Sequence[Run]) -> None:
    """One line a run; published figures have columns of their own."""
    facts = [name for name in Run.__dataclass_fields__ if name not in ("measures", "published")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*facts, *MEASURES, *(f"published {name}" for name in MEASURES)])
    for run in runs:
        row = [getattr(run, name) for name in facts]
        measured = [f"{run.measures[name]:.4f}" for name in MEASURES]
        writer.writerow([*row, *measured, *(run.published.get(name, "") for name in MEASURES)])
    write_whole(path, text.getvalue().encode(), name="csv")


def write_plot(path: Path, runs: Sequence[Run]) -> None:
    """Accuracy against time for each model, as PNG, SVG or PDF by the suffix. Raises SettingsError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("--plot needs matplotlib; pip install matplotlib") from error
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for run in runs:
        label = Path(run.model).stem + (" + flip test" if run.flip_test else "")
        (points,) = axes.plot(run.ms_per_person, run.measures["AP"], "o", label=label)
        if "AP" in run.published:
            axes.plot(run.ms_per_person, run.published["AP"], "_", color=points.get_color(), markersize=14)
    axes.margins(x=0.3, y=0.2)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms a person (crop, network, decoding)")
    axes.set_ylabel("COCO AP")
    axes.set_title(f"Dots: measured, boxes: {Path(runs[0].boxes).name}. Dashes: published", fontsize="medium")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise SettingsError(f"--plot: {error}") from error


def _line(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<11}" + "".join(f"{cell:>8}" for cell in cells)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _difference(run: Run, name: str) -> str:
    return f"{run.measures[name] - run.published[name]:+.3f}" if name in run.published else "-"
