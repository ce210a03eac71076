# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows of an option table as ROS parameters: declared, checked, and handed out as one snapshot."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.options import Option, Value
from pose_resnet_ros.ros.parameters.unknown import warn_of_unknown

_LARGEST_INT = 2**63 - 1


def descriptor(option: Option, when_read: str = "") -> ParameterDescriptor:
    """What ``ros2 param describe`` shows: type, description, range, whether it may ever change.

    when_read: of an option that is not live; "": once, so that it is read-only.
    """
    described = ParameterDescriptor(
        description=f"{option.description} ({when_read})" if when_read else option.description,
        read_only=not (option.live or when_read),
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
        self,
        node: Node,
        options: Sequence[Option],
        *,
        on_change: Callable[[], None] = lambda: None,
        when_read: Callable[[str], str] = lambda name: "",
        why_fixed: Callable[[str], str] = lambda name: "",
    ) -> None:
        """Raises SettingsError for a start-up value that is not allowed; on_change is called after each change.

        when_read: of an option that is not live, when the node reads it, in words, "" for once only; why_fixed: why it cannot
        change just now, "" if it can. Start-up values of other names are warned of.
        """
        self._options = {option.name: option for option in options}
        self._on_change = on_change
        self._why_fixed = why_fixed
        self.values: Mapping[str, Value] = MappingProxyType(
            {o.name: _declared_value(node, o, "" if o.live else when_read(o.name)) for o in options}
        )
        warn_of_unknown(node, self._options)
        if hasattr(node, "add_pre_set_parameters_callback"):  # not in Humble
            node.add_pre_set_parameters_callback(self._as_meant)
        if hasattr(node, "add_post_set_parameters_callback"):
            node.add_on_set_parameters_callback(self._check)
            node.add_post_set_parameters_callback(self._apply)
        else:  # Humble: no callback after the change, so a checked change is taken over at once
            node.add_on_set_parameters_callback(self._check_and_apply)

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        """Refuse a wrong value, or any other at the wrong time, with the reason; parameters that are not ours are not ours to
        judge.
        """
        try:
            for change in self._ours(changes):
                option = self._options[change.name]
                is_new = option.check(change.value) != self.values[option.name]
                if is_new and not option.live and (why := self._why_fixed(option.name)):
                    raise SettingsError(f"{option.name}: {why}")
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _as_meant(self, changes: list[Parameter]) -> list[Parameter]:
        """Whole numbers as texts where a text is expected: `ros2 param set` takes 0 for a number."""
        return [
            Parameter(change.name, value=str(change.value))
            if change.type_ == Parameter.Type.INTEGER and self._is_text(change.name)
            else change
            for change in changes
        ]

    def _is_text(self, name: str) -> bool:
        return name in self._options and self._options[name].type is str

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


def _declared_value(node: Node, option: Option, when_read: str) -> Value:
    described = descriptor(option, when_read)
    try:
        value = node.declare_parameter(option.name, option.default, described).value
    except InvalidParameterTypeException as error:
        given = _value_of_any_type(node, option.name)
        if option.type is not str or type(given) is not int:
            raise SettingsError(
                f"parameter {option.name}: expected {option.allowed}{_how_to_write(option, given)}; {error}"
            ) from error
        # -p source:=0 is a number for ROS
        value = node.declare_parameter(option.name, str(given), described, ignore_override=True).value
    except ParameterException as error:  # outside the range
        raise SettingsError(f"parameter {option.name}: expected {option.allowed}; {error}") from error
    return option.check(value)


def _value_of_any_type(node: Node, name: str) -> object:
    """The start-up value of a parameter that is not declared yet."""
    value = node.declare_parameter(name, descriptor=ParameterDescriptor(dynamic_typing=True)).value
    node.undeclare_parameter(name)
    return value


def _how_to_write(option: Option, given: object) -> str:
    if option.type is float:
        return " (with a decimal point, as in 1.0)"
    if option.type is str and not option.choices:
        return f""" (two pairs of quotes make one: -p {option.name}:="'{_as_text(given)}'")"""
    return ""


def _as_text(given: object) -> str:
    """A value of a parameter as it was probably written."""
    if isinstance(given, bool):
        return str(given).lower()
    return ",".join(map(str, given)) if isinstance(given, Sequence | array) else str(given)
