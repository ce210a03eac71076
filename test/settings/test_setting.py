# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Each setting is sound, checks itself and is declared once."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from importlib import import_module
from pathlib import Path

import pytest

import pose_resnet_ros
from pose_resnet_ros import settings
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import SKELETONS
from pose_resnet_ros.settings import (
    DrawSettings,
    FrameSettings,
    LoadSettings,
    Setting,
    Settings,
    SettingsGroup,
    SourceSettings,
    StreamSettings,
    TrackingSettings,
)

ROWS = {row.name: row for row in Settings.settings()}
ALL = (*Settings.settings(), *SourceSettings.settings())
GROUPS = [
    group
    for name in settings.__all__
    if isinstance(group := getattr(settings, name), type) and issubclass(group, SettingsGroup) and group is not SettingsGroup
]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_each_setting_is_sound(row: Setting) -> None:
    assert row.check(row.default) == row.default
    assert row.parse(row.text(row.default)) == row.default
    assert row.description.endswith(".")
    if row.type in (int, float):
        assert row.minimum is not None
        with pytest.raises(SettingsError, match=f"{row.name}: expected .*{row.minimum:g}"):
            row.check(row.type(row.minimum - 1))


def test_names_are_unique() -> None:
    assert len({row.name for row in Settings.settings()}) == len(Settings.settings())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("backend", "gpu", "backend: expected auto, cpu, cuda, tensorrt or openvino, got 'gpu'"),
        ("backend", 3, "backend: expected auto, cpu, cuda, tensorrt or openvino, got 3"),
        ("detection_threshold", 1.5, "detection_threshold: expected a number from 0 to 1, got 1.5"),
        ("detection_threshold", float("nan"), "detection_threshold: expected a number from 0 to 1, got nan"),
        ("max_persons", 0, "max_persons: expected an integer from 1 to 1000, got 0"),
        ("max_persons", 2.5, "max_persons: expected an integer from 1 to 1000, got 2.5"),
        ("max_persons", True, "max_persons: expected an integer from 1 to 1000, got True"),
        ("max_age_ms", -1.0, "max_age_ms: expected a number of at least 0, got -1.0"),
        ("image_rotation", 45, "image_rotation: expected 0, 90, 180 or 270, got 45"),
        ("flip_test", 1, "flip_test: expected true or false, got 1"),
    ],
)
def test_a_wrong_value_is_told_what_is_allowed(name: str, value: object, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ROWS[name].check(value)
    assert str(caught.value) == message


def test_an_integer_stands_for_a_float_and_a_path_for_a_string() -> None:
    assert isinstance(ROWS["detection_threshold"].check(1), float)
    assert LoadSettings(pose_model=Path("a.onnx")).pose_model == "a.onnx"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("flip_test", "On", True), ("flip_test", "0", False), ("device_id", "2", 2), ("nms_threshold", "1", 1.0)],
)
def test_words_of_a_command_line(name: str, text: str, value: object) -> None:
    assert ROWS[name].parse(text) == value


@pytest.mark.parametrize(("name", "text"), [("flip_test", "maybe"), ("device_id", "first"), ("nms_threshold", "half")])
def test_words_that_mean_nothing(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected .*'{text}'"):
        ROWS[name].parse(text)


@pytest.mark.parametrize(("text", "wh"), [("", None), ("320x256", (320, 256)), ("32x32", (32, 32)), ("1x1", (1, 1))])
def test_the_size_of_the_detectors_input(text: str, wh: tuple[int, int] | None) -> None:
    assert LoadSettings(detector_input=text).detector_input_wh == wh


@pytest.mark.parametrize(
    "text", ["320", "320x", "x256", "0x256", "-32x32", "320x256x3", "320X256", "32.0x32", "auto", "9" * 5000 + "x9", "1x1\n"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(SettingsError, match=r"detector_input: expected WIDTHxHEIGHT in pixels.*, got '"):
        LoadSettings(detector_input=text)


@pytest.mark.parametrize(
    ("given", "names"),
    [([], ()), ([""], ()), (["front", "rear_2"], ("front", "rear_2")), (("a",), ("a",)), ("front,rear", None), ([1], None)],
)
def test_names_of_cameras(given: object, names: tuple[str, ...] | None) -> None:
    if names is not None:
        assert ROWS["cameras"].check(given) == names
    else:
        with pytest.raises(
            SettingsError, match="cameras: expected different names of letters, digits and _, each beginning with a"
        ):
            ROWS["cameras"].check(given)


@pytest.mark.parametrize("name", ["", "2nd", "front camera", "a/b", "front.x", "front,front", "_front", "a\n", "vorne_ä"])
def test_no_name_of_a_camera(name: str) -> None:
    with pytest.raises(SettingsError, match="cameras: expected different names"):
        ROWS["cameras"].check(("front", *name.split(",")))


@pytest.mark.parametrize("name", ["tracking", "threads"])  # a group of parameters, and one
def test_a_camera_is_not_named_like_a_parameter(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is no name for a camera, since a parameter's name begins with {name};"):
        Settings.from_values({"cameras": ["front", name]})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()), ("[]", ()), ("front", ("front",)), ("front, rear", ("front", "rear")), (" [front, rear] ", ("front", "rear")),
    ],
)  # fmt: skip
def test_names_on_a_command_line(text: str, names: tuple[str, ...]) -> None:
    assert ROWS["cameras"].parse(text) == names


@pytest.mark.parametrize("text", ["front,,rear", "front,", ",front", ",", "[front,]", "front, front", "/front", "front rear"])
def test_wrong_names_on_a_command_line(text: str) -> None:
    with pytest.raises(SettingsError, match="cameras: expected different names"):
        ROWS["cameras"].parse(text)


@pytest.mark.parametrize("name", ["max_persons", "detection_threshold"])
def test_numbers_that_no_machine_word_holds_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected a"):
        ROWS[name].check(10**400)
    with pytest.raises(SettingsError, match=f"{name}: expected a"):
        ROWS[name].parse("9" * 400)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_goes_through_its_values_and_to_another_process(group: type[SettingsGroup]) -> None:
    made = group()
    assert list(made.values()) == [row.name for row in group.settings()]
    assert group.from_values({**made.values(), "of_somebody_else": 1}) == made
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("group", GROUPS)
def test_every_field_is_a_setting_or_a_group(group: type[SettingsGroup]) -> None:
    for field in dataclasses.fields(group):
        assert "setting" in field.metadata or isinstance(field.default, SettingsGroup), field.name


def test_groups_check_themselves_and_name_the_parameter() -> None:
    with pytest.raises(SettingsError, match=r"nms_threshold: expected a number from 0 to 1, got 2\.0"):
        FrameSettings(nms_threshold=2.0)
    with pytest.raises(SettingsError, match=r"tracking\.max_age_ms: expected a number"):
        TrackingSettings(max_age_ms=-1)
    with pytest.raises(SettingsError, match="tracker: expected none, iou or oks"):
        StreamSettings.from_values({"tracker": "sort"})
    given = StreamSettings.from_values({"tracking.confirm_hits": 3, "smoothing.enabled": True, "max_persons": 5})
    assert (given.tracking.confirm_hits, given.smoothing.enabled, given.frame.max_persons) == (3, True, 5)


def test_a_stream_can_change_all_its_settings() -> None:
    assert all(row.dynamic for row in StreamSettings.settings())
    assert not any(row.dynamic for row in LoadSettings.settings())


def test_the_skeletons_are_those_of_the_core() -> None:
    assert ROWS["skeleton"].choices == (*SKELETONS, "native")


def test_what_may_differ_from_camera_to_camera() -> None:
    assert {row.name for row in ALL if row.per_camera} == {
        "image_rotation", "image_transport", "image_reliability", "max_age_ms", "max_rate_hz",
        "use_depth", "depth_transport", "depth_max_offset_ms", "image_is_rectified",
        "detector_region_x", "detector_region_y", "detector_region_width", "detector_region_height",
    }  # fmt: skip


def test_defaults_of_the_core_do_not_drift_from_the_settings() -> None:
    """An argument of a function or class of the core that has a setting's name has its default, if any."""
    rows = {row.name.rpartition(".")[2]: row for row in (*StreamSettings.settings(), *DrawSettings.settings())}
    folder = Path(pose_resnet_ros.__file__).parent / "core"
    found = [
        (path.stem, name, argument)
        for path in folder.glob("[a-z]*.py")
        for name, thing in vars(import_module(f"pose_resnet_ros.core.{path.stem}")).items()
        if inspect.isfunction(thing) or (inspect.isclass(thing) and dataclasses.is_dataclass(thing))
        for argument, given in inspect.signature(thing).parameters.items()
        if argument in rows and given.default not in (inspect.Parameter.empty, rows[argument].default)
    ]
    assert found == []
