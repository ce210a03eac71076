# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One setting: a field of a frozen dataclass that carries its default, range and description, and checks its values."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import names_of

Value = bool | int | float | str | tuple[str, ...]
_Value = TypeVar("_Value", bound=Value)
_Group = TypeVar("_Group", bound="SettingsGroup")


@dataclass(frozen=True)
class Setting:
    """One setting as data; its type is the type of its default. ``setting`` describes the fields."""

    name: str
    default: Value
    description: str
    dynamic: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    step: int = 1
    pattern: str = ""
    pattern_in_words: str = ""
    per_camera: bool = False

    @property
    def type(self) -> type:
        return type(self.default)

    def check(self, value: Any) -> Value:
        """The value in the setting's type: an integer also stands for a float, a path for a string, and a list for a tuple.

        Raises SettingsError, which names the setting, what is allowed and what came.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        elif self.type is str and isinstance(value, os.PathLike):
            value = os.fspath(value)
        elif self.type is tuple and isinstance(value, list):
            value = () if value == [""] else tuple(value)  # [""] is how ROS users write an empty array
        if type(value) is not self.type or not self._allows(value):
            shown = f"'{value}'" if self.choices and isinstance(value, str) else repr(value)
            if isinstance(value, tuple):
                shown = f"[{', '.join(str(word) or repr(word) for word in value)}]"
            raise SettingsError(f"{self.name}: expected {self.allowed}, got {shown}")
        return cast(Value, value)

    def parse(self, text: str) -> Value:
        """The value that a word of a command line stands for. Raises SettingsError as ``check`` does."""
        if self.type is tuple:
            return self.check([word.strip() for word in text.strip().removeprefix("[").removesuffix("]").split(",")])
        words = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
        try:
            return self.check(words.get(text.lower(), text) if self.type is bool else self.type(text))
        except ValueError:
            raise SettingsError(f"{self.name}: expected {self.allowed}, got '{text}'") from None

    def text(self, value: Value) -> str:
        """The value as a word of a command line, which ``parse`` takes."""
        if isinstance(value, tuple):
            return ",".join(value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return names_of(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type in (str, tuple):
            return self.pattern_in_words or "a string"
        kind = "an integer" if self.type is int else "a number"
        if self.minimum is None:
            return kind
        if self.maximum is None:
            return f"{kind} of at least {self.minimum:g}"
        if self.step > 1:
            return names_of([str(value) for value in range(int(self.minimum), int(self.maximum) + 1, self.step)])
        return f"{kind} from {self.minimum:g} to {self.maximum:g}"

    def _allows(self, value: Any) -> bool:
        if self.type is tuple:
            are_names = all(isinstance(word, str) and re.fullmatch(self.pattern, word) for word in value)
            return are_names and len(set(value)) == len(value)
        if self.type is str:
            return (not self.choices or value in self.choices) and re.fullmatch(self.pattern or "(?s:.*)", value) is not None
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        in_range = -math.inf < value < math.inf and low <= value <= high  # math.isfinite refuses long integers
        return in_range and (self.step == 1 or (value - low) % self.step == 0)


def setting(
    default: _Value,
    description: str,
    *,
    name: str = "",
    dynamic: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    step: int = 1,
    pattern: str = "",
    pattern_in_words: str = "",
    per_camera: bool = False,
) -> _Value:
    """A field of a ``SettingsGroup``.

    description: sentences that make sense alone; name: if not the group's prefix and the field's name; dynamic: may change
    while running; minimum, maximum: inclusive; step: integers go up from minimum by it; choices: the only strings allowed;
    pattern: a regular expression for strings and for each of a tuple's, and the same in words; per_camera: may differ from camera
    to camera.
    """
    row = Setting(name, default, description, dynamic, minimum, maximum, choices, step, pattern, pattern_in_words, per_camera)
    return field(default=default, metadata={"setting": row})


dynamic = partial(setting, dynamic=True)
fraction = partial(setting, dynamic=True, minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class SettingsGroup:
    """Base of the frozen dataclasses whose fields are settings, or groups of settings.

    Raises SettingsError for a value that is not allowed. TITLE: of its section in the documentation; PREFIX: of the
    settings' names.
    """

    TITLE: ClassVar[str] = ""
    PREFIX: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, row in self._own().items():
            if isinstance(row, Setting):
                object.__setattr__(self, name, row.check(getattr(self, name)))

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """All settings in their order, those of inner groups included."""
        rows = cls._own().values()
        return tuple(found for row in rows for found in ((row,) if isinstance(row, Setting) else row.settings()))

    @classmethod
    def from_values(cls: type[_Group], values: Mapping[str, Any]) -> _Group:
        """From values by the settings' names; other names are left alone, and what is missing has its default."""
        given = {}
        for name, row in cls._own().items():
            if not isinstance(row, Setting):
                given[name] = row.from_values(values)
            elif row.name in values:
                given[name] = values[row.name]
        return cls(**given)

    def values(self) -> dict[str, Value]:
        """All values by the settings' names, those of inner groups included."""
        found: dict[str, Value] = {}
        for name, row in self._own().items():
            value = getattr(self, name)
            found.update({row.name: value} if isinstance(row, Setting) else value.values())
        return found

    @classmethod
    def _own(cls) -> dict[str, Setting | type[SettingsGroup]]:
        """Each field's setting, or its group."""
        return {found.name: _content(found, cls.PREFIX) for found in fields(cls)}


def _content(found: Field[Any], prefix: str) -> Setting | type[SettingsGroup]:
    if isinstance(found.default, SettingsGroup):
        return type(found.default)
    row: Setting = found.metadata["setting"]
    return replace(row, name=row.name or prefix + found.name)
