# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from pathlib import Path

import known_models
import pytest

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.model_folder import models_folder
from pose_resnet_ros.models.registry import TABLE, find_entry, find_model, of_precision
from pose_resnet_ros.models.spec import ModelEntry


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_the_folder_follows_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models_folder() == home
    monkeypatch.delenv("POSE_RESNET_ROS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    monkeypatch.setattr("sys.platform", "linux")
    assert models_folder() == Path("/some/cache/pose_resnet_ros")


@pytest.mark.parametrize("entry", [row for row in TABLE if row.bundled], ids=lambda entry: entry.name)
def test_bundled_models_are_in_the_package(entry: ModelEntry) -> None:
    file = find_model(entry.name)
    assert file.path.is_file()
    assert file.entry is entry


def test_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = known_models.pose_net(tmp_path / "mine.onnx")
    monkeypatch.chdir(tmp_path)
    for spelling in (path, str(path), "mine.onnx", "./mine.onnx"):
        assert find_model(spelling).path.samefile(path)


def test_an_added_model_has_the_name_of_its_file(home: Path) -> None:
    known_models.pose_net(home / "mine.onnx")
    assert find_model("mine").path == home / "mine.onnx"


def test_an_absent_model_says_how_to_fetch_it(home: Path) -> None:
    entry = find_entry("yolox_tiny")
    assert entry is not None
    with pytest.raises(ModelError, match=r"'yolox_tiny' is not on this machine .*pose_resnet_ros models fetch yolox_tiny"):
        find_model("yolox_tiny")


def test_an_unknown_name_says_where_the_names_are_and_which_are_like_it(home: Path) -> None:
    known_models.pose_net(home / "mine_too.onnx")
    with pytest.raises(ModelError, match=r"no model named 'mine_two'; .* models list` prints; did you mean mine_too\?"):
        find_model("mine_two", kind="pose")
    with pytest.raises(ModelError, match="did you mean pose_resnet_lite"):
        find_model("poseresnet_lite", kind="pose")
    with pytest.raises(ModelError, match=r"prints$"):  # a detector's name is none of them
        find_model("person_light", kind="pose")


def test_a_file_may_have_any_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = known_models.pose_net(tmp_path / "mine.ort")
    monkeypatch.chdir(tmp_path)
    assert find_model("mine.ort").path.samefile(path)


def test_a_command_can_be_pasted_whatever_the_path(home: Path, tmp_path: Path) -> None:
    path = known_models.pose_net(tmp_path / "my net.onnx")
    with pytest.raises(ModelError, match=r"export '.*/my net\.onnx' --int8 --calibration IMAGES_OR_VIDEO"):
        of_precision(find_model(path), "int8")


def test_without_a_home_folder_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:  # needs a user whom the system does not know
        raise RuntimeError("Could not determine home directory.")

    for name in ("POSE_RESNET_ROS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ModelError, match="set POSE_RESNET_ROS_HOME to a folder"):
        models_folder()
    assert find_model("person_lite").path.is_file()  # what is in the package needs none


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("none.onnx", "does not exist, or cannot be reached"),
        ("n" * 300 + ".onnx", "does not exist, or cannot be reached"),  # longer than a file's name can be
        ("folder.onnx", "is a folder"),
    ],
)
def test_a_path_without_a_file_is_named(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match=rf"{name} {what}; expected an ONNX file"):
        find_model(tmp_path / name)


def test_a_path_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """onnxruntime's own message is ten lines of signatures."""
    path = tmp_path / os.fsdecode(b"m\xe9.onnx")
    path.write_bytes(b"model")
    with pytest.raises(ModelError, match=r"m\\udce9\.onnx: its path is not UTF-8"):
        find_model(str(path))
