# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables on a terminal (by rich, where it is installed), and the plot of latency against persons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pose_resnet_ros.benchmark.frames import FrameRow
from pose_resnet_ros.benchmark.report import Table
from pose_resnet_ros.core.errors import SettingsError


def print_table(table: Table) -> None:
    """On stdout."""
    print(f"\n{table.title}")
    try:
        from rich.console import Console
        from rich.table import Table as RichTable
    except ImportError:
        print(plain(table))
        return
    shown = RichTable()
    for place, name in enumerate(table.head):
        shown.add_column(name, justify="left" if place == 0 else "right")
    for row in table.rows:
        shown.add_row(*row)
    console = Console()
    # A pipe or a file has no width of its own: nothing is cut there.
    console.print(shown) if console.is_terminal else Console(width=250).print(shown)


def plain(table: Table) -> str:
    """Columns by spaces: the first left-aligned, the others right-aligned."""
    lines = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])

    return "\n".join(map(line, lines))


def plot(rows: Sequence[FrameRow], path: Path) -> None:
    """Median latency against persons, to p95 as a band, a line for each configuration.

    Raises SettingsError without matplotlib, or where the picture cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise SettingsError("plot: it needs matplotlib; pip install matplotlib") from error
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
