# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The messages as they are installed, by either way of installing."""

import json
import os
import sys
from pathlib import Path

import pytest

packages = pytest.importorskip("ament_index_python.packages")

# From the real package's build (vision_msgs 4.1.1 on Jazzy). The array holds every other type used here, so its hash covers
# all names, fields, types and their order.
DETECTION_2D_ARRAY = "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968"


@pytest.fixture(autouse=True)
def ament_prefix(monkeypatch):
    """Beside the wheels nobody sources a setup file, and this environment is the prefix."""
    if not os.environ.get("AMENT_PREFIX_PATH"):
        monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)


def share(package):
    try:
        return Path(packages.get_package_share_directory(package))
    except packages.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")


def test_vision_msgs_is_the_real_package_on_the_wire():
    description = share("vision_msgs") / "msg" / "Detection2DArray.json"
    if not description.exists():
        pytest.skip("this ROS has no type hashes (Humble)")
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(description.read_text())["type_hashes"]}

    assert hashes["vision_msgs/msg/Detection2DArray"] == DETECTION_2D_ARRAY


@pytest.mark.parametrize("path", ["launch/pose.launch.py", "config/pose.yaml", "config/fastdds_images.xml", "rviz/pose.rviz"])
def test_the_share_folder_is_complete(path):
    assert (share("pose_resnet_ros") / path).is_file()
