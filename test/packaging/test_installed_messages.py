# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The messages as they are installed, by either way of installing."""

import json
import os
import sys
from pathlib import Path

import pytest

packages = pytest.importorskip("ament_index_python.packages")

# From the real package's build (vision_msgs 4.1.1 on Jazzy), or from the message files (Detection3DArray; foxglove_msgs 3.4.3;
# ffmpeg_image_transport_msgs 1.2.2).
# Each holds every other type used here, so its hash covers all names, fields, types and their order.
HASHES = {
    "vision_msgs/msg/Detection2DArray": "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "vision_msgs/msg/Detection3DArray": "RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "RIHS01_648d84e0d33cbf76daf54b094d8f06154b8a24800a19c14371754df799fbaf79",
    "foxglove_msgs/msg/CompressedVideo": "RIHS01_32039eafc3770e589c86c4dabff9c392ce9955ebffd43f5f60763011d43d8d1d",
    "foxglove_msgs/msg/ImageAnnotations": "RIHS01_bc4e578b1ef80953415d6f966a4cab305c8a44c8b64fc405312b6f06a08fc45e",
}


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


@pytest.mark.parametrize("name", HASHES)
def test_stand_ins_are_the_real_packages_on_the_wire(name):
    package, _, message = name.split("/")
    description = share(package) / "msg" / f"{message}.json"
    if not description.exists():
        pytest.skip("this ROS has no type hashes (Humble)")
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(description.read_text())["type_hashes"]}

    assert hashes[name] == HASHES[name]


@pytest.mark.parametrize(
    "path", ["launch/pose.launch.py", "config/pose.yaml", "config/fastdds_images.xml", "config/foxglove.json", "rviz/pose.rviz"]
)
def test_the_share_folder_is_complete(path):
    assert (share("pose_resnet_ros") / path).is_file()
