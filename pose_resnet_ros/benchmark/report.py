# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A benchmark's results: as JSON, tables and a plot, and compared with an older file."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pose_resnet_ros.benchmark.latency import FrameRow
from pose_resnet_ros.checked_json import read_json
from pose_resnet_ros.core.errors import BenchmarkError, DataFileError, SettingsError

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "numpy", "opencv-python-headless", "torch", "openvino")


@dataclass(frozen=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def machine() -> dict[str, str]:
    """What the figures depend on: processor, cores, and the versions of the libraries that do the work."""
    installed = {found.metadata["Name"].lower(): found.version for found in metadata.distributions()}
    versions = {package: installed[package] for package in _PACKAGES if package in installed}
    facts = {"processor": _processor(), "cores": str(os.cpu_count()), "python": platform.python_version()}
    return {**facts, "system": platform.system(), **versions}


def frame_table(rows: Sequence[FrameRow]) -> Table:
    stages = list(rows[-1].stage_ms) if rows else []
    head = ("configuration", "persons", "median ms", "p95 ms", "ratio", "CPU ms", "CPU ratio", "others %", *stages)
    return Table("whole frames, and the stages' medians in ms", head, [_frame_cells(row, stages) for row in rows])


def compare(frames: Sequence[FrameRow], older: Path) -> Table:
    """Medians against those of an older JSON file, by configuration. Raises BenchmarkError if it is not one of ours."""
    try:
        data = read_json(older)
        before = {(row["configuration"], row["persons"]): float(row["whole"]["median_ms"]) for row in data["frames"]}
    except (DataFileError, KeyError, TypeError, ValueError) as error:
        raise BenchmarkError(f"{older} is not a file that benchmark --json wrote: {error}") from error
    rows = []
    for row in frames:
        old = before.get((row.configuration, row.persons))
        if old:
            now = row.whole.median_ms
            rows.append((row.configuration, str(row.persons), f"{old:.1f}", f"{now:.1f}", f"{now / old:.2f}"))
    return Table(f"against {older}", ("configuration", "persons", "before ms", "now ms", "ratio"), rows)


def node_tables(row: Mapping[str, Any]) -> list[Table]:
    facts = dict(row)
    stages = facts.pop("stage_ms")
    cells = [(name, f"{value:.1f}" if isinstance(value, float) else str(value)) for name, value in facts.items()]
    stage_cells = [(name, f"{ms:.1f}") for name, ms in stages.items()]
    return [
        Table("the node, from outside", ("measure", "value"), cells),
        Table("stages in the node, median ms", ("stage", "ms"), stage_cells),
    ]


def print_table(table: Table) -> None:
    """On stdout: the first column left-aligned, the others right-aligned."""
    lines = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{table.title}")
    for first, *rest in lines:
        print("  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]))


def plot(rows: Sequence[FrameRow], path: Path) -> None:
    """Median latency by number of persons, with a band up to p95; one line per configuration.

    Raises SettingsError without matplotlib, or if the file cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise SettingsError("plot: needs matplotlib: pip install matplotlib") from error
    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for configuration in dict.fromkeys(row.configuration for row in rows):
        own = [row for row in rows if row.configuration == configuration]
        persons, median = [row.persons for row in own], [row.whole.median_ms for row in own]
        (line,) = axes.plot(persons, median, marker="o", label=configuration)
        axes.fill_between(persons, median, [row.whole.p95_ms for row in own], color=line.get_color(), alpha=0.15)
    axes.set(xlabel="persons in the frame", ylabel="whole frame, ms (line: median; band: to p95)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=120, bbox_inches="tight")
    except (OSError, ValueError) as error:
        raise SettingsError(f"plot: cannot write {path}: {error}") from error
    pyplot.close(figure)


def _frame_cells(row: FrameRow, stages: list[str]) -> tuple[str, ...]:
    times = [f"{row.stage_ms[stage]:.2f}" if stage in row.stage_ms else "" for stage in stages]
    whole = (f"{row.whole.median_ms:.1f}", f"{row.whole.p95_ms:.1f}")
    return (
        row.configuration,
        str(row.persons),
        *whole,
        f"{row.against_first:.2f}",
        f"{row.cpu_ms:.1f}",
        f"{row.cpu_against_first:.2f}",
        f"{100 * row.others_share:.0f}",
        *times,
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
