# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""config/foxglove.json, the layout that the tutorial imports."""

import json
from pathlib import Path

from pose_resnet_ros.tools.bags.bag_writing import ANNOTATIONS

ROOT = Path(__file__).resolve().parents[2]


def test_the_layout_s_panel_shows_the_annotations_over_the_tutorial_s_image_topic():
    layout = json.loads((ROOT / "config" / "foxglove.json").read_text(encoding="utf-8"))
    (panel,) = layout["configById"]
    assert layout["layout"] == panel
    assert panel.startswith("Image!")
    mode = layout["configById"][panel]["imageMode"]
    assert mode["annotations"] == {ANNOTATIONS: {"visible": True}}
    # Foxglove has moved the switch out of imageMode, and synchronizes only the topics that are listed.
    assert mode["synchronize"]
    assert layout["configById"][panel]["synchronize"]
    assert layout["configById"][panel]["syncedTopics"] == {mode["imageTopic"]: True, ANNOTATIONS: True}
    tutorial = (ROOT / "docs" / "tutorials" / "foxglove.md").read_text(encoding="utf-8")
    assert f"image_topic:={mode['imageTopic']}" in tutorial
    assert f"--topic {mode['imageTopic']}" in tutorial
