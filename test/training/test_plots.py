# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs that followed one another become one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

pytest.importorskip("matplotlib", reason="requires matplotlib")

from training import plots


def test_runs_are_joined(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("epoch,step,loss,seconds,pck\n1,10,0.9,5,\n2,20,0.8,5,0.4\n")
    second.write_text("epoch,step,loss,seconds,pck\n1,30,0.7,5,0.5\n")
    rows = plots._joined([first, second])
    assert [row["step"] for row in rows] == ["10", "20", "50"]
    assert plots._series(rows, "pck") == ([20, 50], [0.4, 0.5])
    plots.main([str(first), str(second), "--output", str(tmp_path / "out.png")])
    assert cv2.imread(str(tmp_path / "out.png")).shape == (360, 900, 3)


@pytest.mark.filterwarnings("error")
def test_a_run_without_a_measurement_yet_is_drawn(tmp_path: Path) -> None:
    history = tmp_path / "a.csv"
    history.write_text("epoch,step,loss,seconds\n1,10,0.9,5\n")
    plots.main([str(history), "--output", str(tmp_path / "out.png")])
    assert cv2.imread(str(tmp_path / "out.png")).shape == (360, 900, 3)
