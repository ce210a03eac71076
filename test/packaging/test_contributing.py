# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md names files, targets and things that exist, and the templates of issues are forms that can be read."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))))
PATHS = [span for span in SPANS if re.fullmatch(r"[\w./]+/|[\w./]+\.(py|md|rst|yaml|rviz|xml|txt)", span)]
# Not things of the code: what users type, other projects' names, and an example.
WORDS = {"catkin_prepare_release", "repository", "bugtracker", "website"}
NAMES = [span for span in SPANS if re.fullmatch(r"\w+(\.\w+)?", span) and span not in {*PATHS, *WORDS}]
SOURCE = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "pose_resnet_ros").rglob("*.py")))


@pytest.mark.parametrize("path", PATHS)
def test_named_files_exist(path):
    assert (ROOT / path).exists() or (ROOT / "pose_resnet_ros" / path).exists()


@pytest.mark.parametrize("name", NAMES)
def test_named_things_are_in_the_code(name):
    assert all(re.search(rf"\b{part}\b", SOURCE) for part in name.split("."))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)\b", TEXT))))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_links_lead_to_files(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_issue_forms_are_complete(form):
    data = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml").read_text(encoding="utf-8"))
    assert data.keys() >= {"name", "description", "body"}
    assert all(field["attributes"]["label"] for field in data["body"])
