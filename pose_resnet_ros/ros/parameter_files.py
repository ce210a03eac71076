# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""ROS parameter files, read without starting a node: for launch files that act on what a node will be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


def file_parameters(path: str | Path, node: str) -> dict[str, Any]:
    """What a file sets for a node, by parameter names such as front.image_rotation; of several sections the last one counts.

    node: the full name, such as /robot1/pose_resnet. Raises RuntimeError for a file that is no YAML.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RuntimeError(f"{path}: expected a parameter file in YAML: {error}") from error
    found: dict[str, Any] = {}
    for name, parameters in _sections(content):
        if _is_for(node, name):
            found |= _flat(parameters)
    return found


def _sections(content: object, name: str = "") -> Iterator[tuple[str, object]]:
    """The sections with the names of the nodes that they are for: written in one piece, or a level for each namespace."""
    for key, value in content.items() if isinstance(content, Mapping) else ():
        if key == "ros__parameters":
            yield name, value
        else:
            yield from _sections(value, f"{name}/{str(key).strip('/')}")


def _is_for(node: str, section: str) -> bool:
    """Whether a section's name means this node: * stands for one part of the name, ** for any number of them."""
    pattern = re.escape(section).replace(r"/\*\*", "(/[^/]+)*").replace(r"/\*", "/[^/]+")
    return re.fullmatch(pattern, node) is not None


def _flat(parameters: object, prefix: str = "") -> dict[str, Any]:
    """Nested names in one piece."""
    found: dict[str, Any] = {}
    for key, value in parameters.items() if isinstance(parameters, Mapping) else ():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
