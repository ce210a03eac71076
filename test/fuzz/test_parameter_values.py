# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a parameter, an option or a setting is given: a value that is allowed, or a SettingsError; a model's name: a file, or
a ModelError."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.models.registry import find_model
from pose_resnet_ros.settings import FrameSettings, LoadSettings, Setting, Settings

ROWS = Settings.settings()
DYNAMIC = [row.name for row in FrameSettings.settings()]
DIGITS = st.sampled_from((1, 300, 400, 5000)).map(lambda count: "9" * count)
TEXTS = (
    st.text(max_size=20)
    | DIGITS
    | st.sampled_from(("nan", "inf", "-inf", "1e999", "0x10", "\0", "/", "~", "~nobody/x", "x" * 300))
)
VALUES = st.booleans() | st.integers() | st.sampled_from((10**400, -(10**400))) | st.floats() | TEXTS | st.none()


@given(st.sampled_from(ROWS), VALUES)
def test_a_value_is_allowed_or_refused(row: Setting, value: object) -> None:
    try:
        allowed = row.check(value)
    except SettingsError:
        return
    assert type(allowed) is row.type
    assert not isinstance(allowed, float) or math.isfinite(allowed)


@given(st.sampled_from(ROWS), TEXTS | st.floats().map(str) | st.integers().map(str))
def test_a_word_of_a_command_line_is_parsed_or_refused(row: Setting, text: str) -> None:
    try:
        value = row.parse(text)
    except SettingsError:
        return
    assert row.check(value) == value


@given(st.dictionaries(st.sampled_from(DYNAMIC), VALUES, max_size=4))
def test_settings_are_whole_or_refused(values: dict[str, object]) -> None:
    try:
        settings = FrameSettings(**values)
    except SettingsError:
        return
    x1, y1, x2, y2 = settings.detector_region(width=64, height=48)
    assert 0 <= x1 < x2 <= 64
    assert 0 <= y1 < y2 <= 48


@given(TEXTS | DIGITS.map(lambda digits: f"{digits}x{digits}") | st.from_regex(r"[0-9x]{1,12}", fullmatch=True))
def test_a_size_is_two_numbers_or_refused(text: str) -> None:
    try:
        size = LoadSettings(detector_input=text).detector_input_wh
    except SettingsError:
        return
    assert size is None or min(size) > 0


@given(TEXTS)
def test_a_models_name_is_a_file_or_refused(text: str) -> None:
    try:
        found = find_model(text)
    except ModelError:
        return
    assert found.path.is_file()
