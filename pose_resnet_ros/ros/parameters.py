# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings as ROS parameters: declared, checked, and handed out as one snapshot."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, ParameterException, ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.settings import Setting, SettingsGroup, Value

_READ_AT_START = ("autostart", "cameras")
_LARGEST_INT = 2**63 - 1
# ROS's own, even if not declared (yet) in this distribution.
_OF_ROS = ("use_sim_time", "start_type_description_service")
_TOPICS_OWN = "qos_overrides."
_EMPTY = [""]  # an array of strings
_Settings = TypeVar("_Settings", bound=SettingsGroup)


class Parameters(Generic[_Settings]):
    """The parameters of one node: declared when this is made, then kept up to date and free of wrong values.

    With ``cameras``, the settings that are ``per_camera`` are declared once more for each, as CAMERA.NAME. Such a parameter
    follows the node's (NAME) until it is set itself.

    settings: a snapshot that never changes; a change of a parameter puts another one in its place. camera_settings: the same for
    each camera by its name, with its own values.
    """

    def __init__(self, node: Node, group: type[_Settings], *, state: Callable[[], str] | None = None) -> None:
        """Raises SettingsError for a start-up value that is not allowed; warns of those that the node does not have.

        state: the lifecycle state of a node that reads its settings when it is configured;
        without it, settings that are not dynamic are read-only.
        """
        self._rows = {row.name: row for row in group.settings()}
        self._state = state
        self._is_declared = node.has_parameter
        self._values = {name: _declared_value(node, self._descriptor(row), row) for name, row in self._rows.items()}
        self.settings = group.from_values(self._values)
        self._cameras: tuple[str, ...] = self._values.get("cameras", ())  # type: ignore[assignment]
        _require_camera_settings(node, self._cameras, self._rows.values())
        for row in list(_camera_rows(self._cameras, self._rows.values(), self._values)):
            self._rows[row.name] = row
            self._values[row.name] = _declared_value(node, self._descriptor(row), row)
        self._own = {name for name in _start_values(node) if name in self._rows}
        self._take_over()
        warn_of_unknown(node, self._rows)
        if hasattr(node, "add_pre_set_parameters_callback"):  # not in Humble
            node.add_pre_set_parameters_callback(self._completed)
        if hasattr(node, "add_post_set_parameters_callback"):
            node.add_on_set_parameters_callback(self._check)
            node.add_post_set_parameters_callback(self._apply)
        else:  # Humble: no callback after the change, so a checked change is taken over at once
            node.add_on_set_parameters_callback(self._check_and_apply)

    def _descriptor(self, row: Setting) -> ParameterDescriptor:
        when = "" if row.dynamic or self._state is None else f" (Read when {_when_read(row)}.)"
        described = ParameterDescriptor(
            description=row.description + when,
            read_only=self._state is None and not row.dynamic,
            additional_constraints=f"expected: {row.allowed}",
        )
        low, high = row.minimum, row.maximum
        if row.type is float and low is not None:
            high = sys.float_info.max if high is None else high
            described.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
        if row.type is int and low is not None:
            high = _LARGEST_INT if high is None else high
            described.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=row.step)]
        return described

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        """Reject values that are not allowed, and changes at the wrong time, with the reason. Other parameters pass."""
        try:
            for change in self._ours(changes):
                row = self._rows[change.name]
                if row.check(change.value) != self._values.get(row.name):
                    self._require_changeable(row)
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _require_changeable(self, row: Setting) -> None:
        if row.dynamic or self._state is None:
            return
        if row.name in _READ_AT_START:
            raise SettingsError(f"{row.name}: read when {_when_read(row)}")
        if (state := self._state()) in ("inactive", "active"):
            raise SettingsError(
                f"{row.name}: read when {_when_read(row)}; the node is {state} now: clean it up, set this, and configure"
            )

    def _completed(self, changes: list[Parameter]) -> list[Parameter]:
        """The values as they were meant, and what follows them. Raises ParameterNotDeclaredException with the closest names."""
        if unknown := [change.name for change in changes if not self._is_declared(change.name)]:
            raise ParameterNotDeclaredException(_with_hints(unknown, self._rows))
        meant = [_as_meant(change, self._rows[change.name]) if change.name in self._rows else change for change in changes]
        return meant + self._followers(meant)

    def _followers(self, changes: list[Parameter]) -> list[Parameter]:
        """The same changes for each camera that has no value of its own."""
        names = self._rows.keys() - self._own - {change.name for change in changes}
        pairs = ((change, f"{camera}.{change.name}") for change in changes for camera in self._cameras)
        return [Parameter(name, value=change.value) for change, name in pairs if name in names]

    def _apply(self, changes: list[Parameter]) -> None:
        if ours := self._ours(changes):
            values = {change.name: self._rows[change.name].check(change.value) for change in ours}
            # Set together with the node's, and to the same value: it follows.
            self._own |= {name for name, value in values.items() if values.get(name.partition(".")[2]) != value}
            self._values = self._values | values
            self._take_over()

    def _take_over(self) -> None:
        self.settings = self.settings.from_values(self._values)
        self.camera_settings = {name: self._settings_of(name) for name in self._cameras}

    def _settings_of(self, camera: str) -> _Settings:
        """The camera's values, and the node's for what all cameras share."""
        own = {name.removeprefix(f"{camera}."): value for name, value in self._values.items() if name.startswith(f"{camera}.")}
        return self.settings.from_values(self._values | own)

    def _check_and_apply(self, changes: list[Parameter]) -> SetParametersResult:
        changes += self._followers(changes)  # rclpy sets what this list holds afterwards
        result = self._check(changes)
        if result.successful:
            self._apply(changes)
        return result

    def _ours(self, changes: list[Parameter]) -> list[Parameter]:
        return [change for change in changes if change.name in self._rows]


def _when_read(row: Setting) -> str:
    return "the process starts" if row.name in _READ_AT_START else "the node is configured"


def _camera_rows(cameras: Sequence[str], rows: Iterable[Setting], values: Mapping[str, Value]) -> Iterator[Setting]:
    """Each camera's own settings, under its name, with the node's values as defaults."""
    for camera in cameras:
        for row in rows:
            if row.per_camera:
                description = f"For camera {camera} only. {row.description} Follows {row.name} until it is set."
                yield replace(row, name=f"{camera}.{row.name}", default=values[row.name], description=description)


def _require_camera_settings(node: Node, cameras: Collection[str], rows: Collection[Setting]) -> None:
    """Raises SettingsError for start-up values of a camera that the node does not have, or that cannot differ by camera."""
    known = {row.name: row.per_camera for row in rows}
    for name in _start_values(node):
        camera, _, setting = name.partition(".")
        if name in known or setting not in known:
            continue  # the node's own, or unknown
        if known[setting] and camera not in cameras:
            expected = f"expected {names_of(sorted(cameras))}" if cameras else "the parameter cameras names none"
            raise SettingsError(f"parameter {name}: there is no camera {camera}; {expected}")
        if camera in cameras and not known[setting]:
            own = names_of([name for name, is_own in known.items() if is_own])
            raise SettingsError(f"parameter {name}: {setting} is the same for all cameras; per camera: {own}")


def _as_meant(change: Parameter, row: Setting) -> Parameter:
    """`ros2 param set` parses 0 as an integer, also for a string or 0.0, and nobody can tell what an empty array holds."""
    if row.type is str and change.type_ == Parameter.Type.INTEGER:
        return Parameter(change.name, value=str(change.value))
    if row.type is float and change.type_ == Parameter.Type.INTEGER:
        return Parameter(change.name, value=float(change.value))
    if row.type is tuple and isinstance(change.value, Sized) and not len(change.value):
        return Parameter(change.name, value=_EMPTY)
    return change


def _declare(node: Node, described: ParameterDescriptor, row: Setting) -> Any:
    """The start-up value, else the default."""
    default = list(row.default) or _EMPTY if isinstance(row.default, tuple) else row.default
    if (value := node.declare_parameter(row.name, default, described).value) is not None:
        return value
    node.set_parameters([Parameter(row.name, value=_EMPTY)])  # [] in a file: nobody can tell what it holds
    return _EMPTY


def _declared_value(node: Node, described: ParameterDescriptor, row: Setting) -> Value:
    """The start-up value, or the default."""
    try:
        value = _declare(node, described, row)
    except InvalidParameterTypeException as error:
        given = _value_of_any_type(node, row.name)
        meant = _as_meant(Parameter(row.name, value=given), row).value
        if type(meant) is type(given):
            raise SettingsError(f"parameter {row.name}: expected {row.allowed}{_how_to_write(row, given)}; {error}") from error
        value = node.declare_parameter(row.name, meant, described, ignore_override=True).value
    except ParameterException as error:  # outside the range
        raise SettingsError(f"parameter {row.name}: expected {row.allowed}; {error}") from error
    return row.check(value)


def _value_of_any_type(node: Node, name: str) -> object:
    """The start-up value of an undeclared parameter."""
    value = node.declare_parameter(name, descriptor=ParameterDescriptor(dynamic_typing=True)).value
    node.undeclare_parameter(name)
    return value


def _how_to_write(row: Setting, given: object) -> str:
    if row.type is tuple:
        return f" (write -p {row.name}:=[{given}])" if isinstance(given, str) else ""
    return f""" (quote a string twice: -p {row.name}:="'{_as_text(given)}'")""" if row.type is str and not row.choices else ""


def _as_text(given: object) -> str:
    """A parameter's value as it was probably written."""
    if isinstance(given, bool):
        return str(given).lower()
    return ",".join(map(str, given)) if isinstance(given, Sequence | array) else str(given)


def warn_of_unknown(node: Node, known: Collection[str]) -> None:
    """Warn of start-up values of unknown parameters, with the closest of the known names.

    No error, since a file's section ``/**`` applies to other nodes too.
    """
    if unknown := [name for name in _start_values(node) if not (node.has_parameter(name) or _is_of_ros(name))]:
        node.get_logger().warning(f"unknown parameters, ignored: {_with_hints(unknown, known)}")


def _start_values(node: Node) -> dict[str, Parameter]:
    return getattr(node, "_parameter_overrides", {})  # rclpy has no public way to ask


def _is_of_ros(name: str) -> bool:
    return name in _OF_ROS or name.startswith(_TOPICS_OWN)


def _with_hints(unknown: Iterable[str], known: Collection[str]) -> str:
    nearest = {name: get_close_matches(name, known, n=1) for name in sorted(unknown)}
    return ", ".join(f"{name} (did you mean {close[0]}?)" if close else name for name, close in nearest.items())
