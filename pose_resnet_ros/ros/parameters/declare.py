# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows of an option table as ROS parameters: declared, checked, and handed out as one snapshot."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.options import Option, Value
from pose_resnet_ros.ros.parameters.unknown import warn_of_unknown

_LARGEST_INT = 2**63 - 1


def descriptor(option: Option) -> ParameterDescriptor:
    """What ``ros2 param describe`` shows: type, description, range, whether it may change."""
    described = ParameterDescriptor(
        description=option.description,
        read_only=not option.live,
        additional_constraints=f"expected: {option.allowed}",
    )
    low, high = option.minimum, option.maximum
    if option.type is float and low is not None:
        high = sys.float_info.max if high is None else high
        described.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    if option.type is int and low is not None:
        high = _LARGEST_INT if high is None else high
        described.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=option.step)]
    return described


class Parameters:
    """The parameters of one node: declared from ``options`` when made, then kept up to date and free of wrong values.

    values: a snapshot that never changes; a change of a parameter puts another one in its place.
    """

    def __init__(
        self, node: Node, options: Sequence[Option], *, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """Raises SettingsError for a start-up value that is not allowed; on_change is called after each change.

        Start-up values of other names are warned of.
        """
        self._options = {option.name: option for option in options}
        self._on_change = on_change
        self.values: Mapping[str, Value] = MappingProxyType(
            {o.name: _declared_value(node, o) for o in options}
        )
        warn_of_unknown(node, self._options)
        if hasattr(node, "add_post_set_parameters_callback"):
            node.add_on_set_parameters_callback(self._check)
            node.add_post_set_parameters_callback(self._apply)
        else:  # Humble: no callback after the change, so a checked change is taken over at once
            node.add_on_set_parameters_callback(self._check_and_apply)

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        """Refuse a wrong value with the reason; parameters that are not ours are not ours to judge."""
        try:
            for change in self._ours(changes):
                self._options[change.name].check(change.value)
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, changes: list[Parameter]) -> None:
        if ours := self._ours(changes):
            self.values = MappingProxyType({**self.values, **{change.name: change.value for change in ours}})
            self._on_change()

    def _check_and_apply(self, changes: list[Parameter]) -> SetParametersResult:
        result = self._check(changes)
        if result.successful:
            self._apply(changes)
        return result

    def _ours(self, changes: list[Parameter]) -> list[Parameter]:
        return [change for change in changes if change.name in self._options]


def _declared_value(node: Node, option: Option) -> Value:
    try:
        value = node.declare_parameter(option.name, option.default, descriptor(option)).value
    except ParameterException as error:  # another type, or outside the range
        hint = " (with a decimal point, as in 1.0)" if option.type is float else ""
        raise SettingsError(f"parameter {option.name}: expected {option.allowed}{hint}; {error}") from error
    return option.check(value)
