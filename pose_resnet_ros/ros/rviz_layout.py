# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The layout of RViz's windows. No ROS in here."""

from __future__ import annotations

import struct
from collections.abc import Sequence

COLUMNS = 2  # of pictures
LARGEST = 0xFFFFFF  # QWIDGETSIZE_MAX: no limit
HORIZONTAL, VERTICAL = 1, 2

Window = tuple[str, bool]  # name, and whether it is shown
Cell = list[Window]  # they share a place as tabs


def window_state(panels: Sequence[Window], cells: Sequence[Cell], width: int, height: int) -> str:
    """Return the layout as Qt's QMainWindow::saveState writes it, in hexadecimal digits.

    Without it, RViz stacks all windows, including those of displays that are off, which switches these on. With one panel, the
    pictures fill the window; with more, the scene fills it, and the pictures lie below the first panel. Qt adjusts the sizes.
    """
    first, *others = [[[panel]] for panel in panels]
    grid = [list(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    left, right = ([first, *grid], others) if others else ([first], grid)
    wide = width * 2 // 5 if others else width * 4 // 5
    widths = (wide, width // 5) if others else (width // 5, wide)
    docks = [_area(side, size, height, rows) for side, (size, rows) in enumerate(zip(widths, (left, right), strict=True))]
    centre = struct.pack(">6i", width - sum(widths), height, 4, 4, 8, 8)  # its size; which docks own the corners
    tools = b"\xfc" + struct.pack(">3i", 1, 2, 1) + _text("Tool") + struct.pack(">B4i", 1, 0, -1, 0, 0)
    return (struct.pack(">2i", 0xFF, 0) + b"\xfd" + struct.pack(">i", len(docks)) + b"".join(docks) + centre + tools).hex()


def _area(side: int, width: int, height: int, rows: Sequence[list[Cell]]) -> bytes:
    size = height // max(len(rows), 1)
    inside = [_nested(size, _sequence(HORIZONTAL, [_cell(cell, width // len(row)) for cell in row])) for row in rows]
    return struct.pack(">3i", side, width, height) + _sequence(VERTICAL, inside)


def _cell(cell: Cell, size: int) -> bytes:
    windows = [b"\xfb" + _text(name) + struct.pack(">B4i", shown, 0, size, 0, LARGEST) for name, shown in cell]
    if len(windows) == 1:
        return windows[0]
    return _nested(size, b"\xfa" + struct.pack(">iBi", 0, VERTICAL, len(windows)) + b"".join(windows))


def _sequence(orientation: int, items: Sequence[bytes]) -> bytes:
    return b"\xfc" + struct.pack(">Bi", orientation, len(items)) + b"".join(items)


def _nested(size: int, inside: bytes) -> bytes:
    return b"\xfc" + struct.pack(">4i", 0, size, 0, LARGEST) + inside


def _text(text: str) -> bytes:
    """As a QString: its length in bytes, then UTF-16."""
    encoded = text.encode("utf-16-be")
    return struct.pack(">i", len(encoded)) + encoded
