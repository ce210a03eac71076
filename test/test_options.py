# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect

import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.options import LOAD_NAMES, PIPELINE_OPTIONS, TRACKING_OPTIONS, Option, option, size_wh
from pose_resnet_ros.pipeline import load_pipeline
from pose_resnet_ros.settings import PipelineSettings

ALL = PIPELINE_OPTIONS + TRACKING_OPTIONS


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_each_row_is_sound(row: Option) -> None:
    assert row.check(row.default) == row.default
    assert row.parse(str(row.default)) == row.default
    assert row.description
    assert option(row.name) is row
    if row.type in (int, float):
        assert row.minimum is not None
        with pytest.raises(SettingsError, match=f"{row.name}: expected .*{row.minimum:g}"):
            row.check(row.type(row.minimum - 1))


def test_names_are_unique() -> None:
    assert len({row.name for row in ALL}) == len(ALL)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("backend", "gpu", "backend: expected auto, cpu, cuda, tensorrt or openvino, got 'gpu'"),
        ("backend", 3, "backend: expected auto, cpu, cuda, tensorrt or openvino, got 3"),
        ("detection_threshold", 1.5, "detection_threshold: expected a number from 0 to 1, got 1.5"),
        ("detection_threshold", float("nan"), "detection_threshold: expected a number from 0 to 1, got nan"),
        ("max_persons", 0, "max_persons: expected a whole number from 1 to 1000, got 0"),
        ("max_persons", 2.5, "max_persons: expected a whole number from 1 to 1000, got 2.5"),
        ("max_persons", True, "max_persons: expected a whole number from 1 to 1000, got True"),
        ("flip_test", 1, "flip_test: expected true or false, got 1"),
    ],
)
def test_a_wrong_value_is_told_what_is_allowed(name: str, value: object, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        option(name).check(value)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_whole_number_stands_for_a_float() -> None:
    value = option("detection_threshold").check(1)
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("flip_test", "On", True), ("flip_test", "0", False), ("device_id", "2", 2), ("nms_threshold", "1", 1.0)],
)
def test_words_of_a_command_line(name: str, text: str, value: object) -> None:
    assert option(name).parse(text) == value


@pytest.mark.parametrize(("name", "text"), [("flip_test", "maybe"), ("device_id", "first"), ("nms_threshold", "half")])
def test_words_that_mean_nothing(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected .*'{text}'"):
        option(name).parse(text)


@pytest.mark.parametrize(("text", "wh"), [("", None), ("320x256", (320, 256)), ("32x32", (32, 32)), ("1x01", (1, 1))])
def test_the_size_of_the_detectors_input(text: str, wh: tuple[int, int] | None) -> None:
    assert size_wh(text) == wh


@pytest.mark.parametrize(
    "text", ["320", "320x", "x256", "0x256", "-32x32", "320x256x3", "320X256", "32.0x32", "auto", "9" * 5000 + "x9"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(SettingsError, match=f"detector_input: expected WIDTHxHEIGHT in pixels.*, got '{text}'"):
        size_wh(text)


@pytest.mark.parametrize("name", ["max_persons", "detection_threshold"])
def test_numbers_that_no_machine_word_holds_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected a"):
        option(name).check(10**400)
    with pytest.raises(SettingsError, match=f"{name}: expected a"):
        option(name).parse("9" * 400)


def test_the_settings_of_a_frame_have_the_tables_defaults_and_ranges() -> None:
    settings = PipelineSettings()
    for name in PipelineSettings.__dataclass_fields__:
        assert getattr(settings, name) == option(name).default
        assert option(name).live
    with pytest.raises(SettingsError, match="nms_threshold"):
        PipelineSettings(nms_threshold=2.0)


def test_the_pipelines_defaults_are_the_tables() -> None:
    parameters = inspect.signature(load_pipeline).parameters
    assert tuple(parameters) == (*LOAD_NAMES, "cancelled")
    for name in LOAD_NAMES:
        assert parameters[name].default == option(name).default
