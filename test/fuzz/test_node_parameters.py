# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever `ros2 param set` sends to a node: it is taken, or refused with a reason, and what the node reads stays allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rclpy")
import rclpy
from rclpy.parameter import Parameter

from pose_resnet_ros.ros.parameters import Parameters
from pose_resnet_ros.ros.programs.domain import ClaimedDomain
from pose_resnet_ros.settings import Settings

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300) | st.floats() | st.floats(0, 1)
WORDS = st.sampled_from(("none", "iou", "raw", "cpu", "external", "", ",,")) | st.text(max_size=9)
LISTS = st.lists(st.integers(0, 9), max_size=2) | st.lists(st.text(max_size=3), max_size=2) | st.binary(max_size=2)


@pytest.fixture(scope="module")
def node() -> Iterator[Any]:
    domain = ClaimedDomain()
    rclpy.init(args=[], domain_id=domain.id)
    made = rclpy.create_node("fuzzed")
    yield made
    made.destroy_node()
    rclpy.shutdown()
    domain.close()


@pytest.fixture(scope="module")
def parameters(node: Any) -> Parameters[Settings]:
    return Parameters(node, Settings, state=lambda: "unconfigured")


@settings(max_examples=settings.default.max_examples // 2)
@given(st.data())
def test_a_parameter_is_set_or_refused_with_a_reason(node: Any, parameters: Parameters[Settings], data: st.DataObject) -> None:
    value = data.draw(st.booleans() | NUMBERS | WORDS | LISTS | st.none())
    names = data.draw(st.lists(st.sampled_from([row.name for row in Settings.settings()]), min_size=1, max_size=2))
    asked = [Parameter(name, value=list(map(bytes, zip(value))) if isinstance(value, bytes) else value) for name in names]
    for result in node.set_parameters(asked):
        assert result.successful or result.reason
    assert Settings.from_values(parameters.settings.values()) == parameters.settings
