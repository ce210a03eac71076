# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Start-up values that nobody reads: a mistyped name, which ROS itself drops without a word."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from rclpy.node import Node

# Of ROS itself, whether or not this distro has declared them (a topic's are declared when the topic is made).
_OF_ROS = ("use_sim_time", "start_type_description_service")
_TOPICS_OWN = "qos_overrides."


def warn_of_unknown(node: Node, known: Collection[str]) -> None:
    """Say once which parameters were given, by file or command line, that the node does not have.

    known: the names that the user may have meant. Only a warning: what a file says for ``/**`` is for other nodes too.
    """
    given = getattr(node, "_parameter_overrides", {})  # rclpy has no public way to ask
    if unknown := [name for name in given if not (node.has_parameter(name) or _is_of_ros(name))]:
        node.get_logger().warning(f"ignored, no parameter of this node: {_with_hints(unknown, known)}")


def _is_of_ros(name: str) -> bool:
    return name in _OF_ROS or name.startswith(_TOPICS_OWN)


def _with_hints(unknown: Iterable[str], known: Collection[str]) -> str:
    texts = []
    for name in sorted(unknown):
        nearest = get_close_matches(name, known, n=1)
        texts.append(f"{name} (did you mean {nearest[0]}?)" if nearest else name)
    return ", ".join(texts)
