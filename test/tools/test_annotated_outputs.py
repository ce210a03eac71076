# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.predict.annotated_outputs import ImageFolder, Window

GREY = np.full((48, 64, 3), 128, np.uint8)


def test_a_picture_keeps_its_name_and_format(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "new" / "folder")
    path = folder.write_image("a.b.png", GREY)
    assert path == tmp_path / "new" / "folder" / "a.b.png"
    np.testing.assert_array_equal(cv2.imread(str(path)), GREY)


def test_a_format_that_is_not_written_becomes_png(tmp_path: Path) -> None:
    assert ImageFolder(tmp_path).write_image("scan.ppm", GREY).name == "scan.png"


def test_names_of_one_run_are_not_used_twice(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path)
    assert [folder.write_image("a.png", GREY).name for _ in range(3)] == ["a.png", "a_2.png", "a_3.png"]


def test_a_picture_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path)
    (tmp_path / "a.png").mkdir()
    with pytest.raises(SettingsError, match=r"cannot write .*a\.png"):
        folder.write_image("a.png", GREY)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot make the folder"):
        ImageFolder(tmp_path / "file" / "folder")


def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SettingsError, match="there is no display"):
        Window("title")
