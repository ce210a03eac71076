# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict --rerun``, read back by Rerun itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import spot_model
import videos

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.predict import predict


def video(path: Path, frames: int) -> Path:
    """A black video with a white square."""
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[34:46, 64:76] = 255
    return videos.write_video(path, [picture] * frames)


def run(folder: Path, *arguments: object) -> int:
    model = spot_model.spot_model(folder / "spot.onnx")
    return predict.main([*map(str, arguments), "--pose-model", str(model), "--detector-model", "full_frame"])


def rows_by_entity(path: Path) -> dict[str, int]:
    chunk = pytest.importorskip("rerun.chunk", reason="a rerun-sdk that can read its files back")
    rows: dict[str, int] = {}
    for part in chunk.RrdReader(str(path)).stream().to_chunks():
        if not part.is_static and not part.entity_path.startswith("/__"):
            rows[part.entity_path] = rows.get(part.entity_path, 0) + part.num_rows
    return rows


def test_pictures_joints_boxes_and_scores(tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    target = tmp_path / "made" / "out.rrd"
    assert run(tmp_path, video(tmp_path / "video.mp4", 5), "--rerun", target) == 0
    assert not (tmp_path / "out").exists()
    rows = rows_by_entity(target)
    # The one person has its id from the second picture on.
    assert rows == {"/image": 5, "/image/boxes": 5, "/image/joints": 5, "/scores/person_1": 4}


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(SettingsError, match="pip install rerun-sdk"):
        run(tmp_path, video(tmp_path / "video.mp4", 1), "--rerun", tmp_path / "out.rrd")


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingsError, match="rerun: cannot write"):
        run(tmp_path, video(tmp_path / "video.mp4", 1), "--rerun", tmp_path / "file" / "out.rrd")
