# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The README tells what the code does: parameters, topics, commands and files."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_parameter_tables_are_the_declared_ones():
    pytest.importorskip("rclpy")
    script = runpy.run_path(str(ROOT / "scripts" / "update_readme.py"), run_name="update_readme")
    assert script["with_tables"](README) == README, "run .venv/bin/python scripts/update_readme.py"


def test_topics_are_the_node_s():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pose_resnet_ros" / "ros").rglob("*.py"))
    in_code = set(re.findall(r'"(~/[a-z0-9_]+)"', source))
    assert in_code == set(re.findall(r"`(~/[a-z0-9_]+)`", README))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (\w+)", README, re.MULTILINE))))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_to_files(link):
    assert (ROOT / link).exists()


def test_launch_arguments_exist():
    launch_file = (ROOT / "launch" / "pose.launch.py").read_text(encoding="utf-8")
    declared = set(re.findall(r'argument\(\s*"(\w+)"', launch_file))
    pages = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    one_command = re.compile(r"^ros2 launch pose_resnet_ros(?:.*\\\n)*.*$", re.MULTILINE)
    commands = [command for page in pages for command in one_command.findall(page)]
    used = {name for command in commands for name in re.findall(r"(\w+):=", command)}
    assert used >= {"image_topic", "depth_topic"}  # the latter on a second line
    assert used <= declared


def test_tools_exist():
    from pose_resnet_ros.tools.cli import TOOLS

    assert set(re.findall(r"-m pose_resnet_ros (\w+)", README)) <= set(TOOLS)
