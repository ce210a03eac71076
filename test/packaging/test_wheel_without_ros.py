# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Installation with pip on a machine without ROS: setup.py packs only the tools, and the version says so."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pose_resnet_ros", "build_support", "setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that the base interpreter builds: its prefix holds no ROS; setuptools is lent from this environment."""
    folder = tmp_path_factory.mktemp("clone")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    leftover = folder / "build" / "lib" / "pose_resnet_ros" / "stream" / "__init__.py"  # hides stream.py
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    env = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib"), "AMENT_PREFIX_PATH": ""}
    command = [sys._base_executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", str(folder / "dist")]
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, timeout=300)
    (built,) = (folder / "dist").glob("*.whl")
    return built


def test_its_version_says_that_ros_is_left_out(wheel):
    assert wheel.name.endswith("+without.ros-py3-none-any.whl")


def test_it_holds_the_tools_and_the_models_but_no_messages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    expected = {f"pose_resnet_ros/weights/{path.name}" for path in (ROOT / "pose_resnet_ros/weights").glob("*.onnx")}

    assert expected | {"pose_resnet_ros/py.typed", "pose_resnet_ros/tools/cli.py"} <= set(names)
    assert not [name for name in names if name.startswith("pose_resnet_ros/msg/")]


def test_a_folder_that_an_older_build_left_stays_out(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert "pose_resnet_ros/stream.py" in names
    assert "pose_resnet_ros/stream/__init__.py" not in names


def test_it_makes_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "pose_resnet_ros = pose_resnet_ros.__main__:main" in archive.read(name).decode()
