# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The definitions that bags are written with are those of the real messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rosbags")
from rosbags.typesys import get_types_from_msg

from pose_resnet_ros.tools.bags.bag_messages import DEFINITIONS, typestore

ROOT = Path(__file__).parents[2]
FILES = {
    **{f"pose_resnet_ros/msg/{f.stem}": f for f in (ROOT / "msg").glob("*.msg")},
    **{f"{f.parts[-3]}/msg/{f.stem}": f for f in (ROOT / "stand_ins").glob("*/msg/*.msg")},
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions_are_those_of_the_message_files(name: str) -> None:
    assert get_types_from_msg(DEFINITIONS[name], name) == get_types_from_msg(FILES[name].read_text(), name)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_type_hashes_are_those_that_ros_computed(name: str) -> None:
    package, _, message = name.split("/")
    module = pytest.importorskip(f"{package}.msg")
    # PREFIX/lib/python3.x/site-packages/PACKAGE/msg/__init__.py and PREFIX/share/PACKAGE/msg/MESSAGE.json
    description = Path(module.__file__).parents[5] / "share" / package / "msg" / f"{message}.json"
    if not description.exists():
        pytest.skip("this ROS 2 has no type hashes (Humble)")
    hashes = {row["type_name"]: row["hash_string"] for row in json.loads(description.read_text())["type_hashes"]}
    assert typestore().hash_rihs01(name) == hashes[name]
