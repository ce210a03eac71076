# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Descriptions from other hands: what is wrong in them is named, before it is a wrong keypoint or a division by zero."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import known_models
import pytest

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.spec import Spec, spec_from_json, spec_to_json


def changed(spec: Spec, place: Sequence[str | int], value: object) -> str:
    data = json.loads(spec_to_json(spec))
    at: Any = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize("spec", [known_models.POSE_SPEC, known_models.DETECTOR_SPEC], ids=["pose", "detector"])
def test_there_and_back(spec: Spec) -> None:
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["input", "width"], "192", r"input\.width: expected an integer above 0, got '192'"),
        (["input", "height"], 0, r"input\.height: expected an integer above 0, got 0"),
        (["input", "width"], 19.2, r"input\.width: expected an integer"),
        (["input", "scale"], None, r"input\.scale: expected a number above 0, got None"),
        (["input", "std"], [0.2, 0, 0.2], r"input\.std: expected a number above 0, got 0"),
        (["input", "mean"], [0.5, 0.5], r"input\.mean: expected three numbers"),
        (["input", "mean", 1], float("nan"), r"input\.mean: expected a number, got nan"),
        (["input", "channel_order"], "BGR", r"input\.channel_order: expected bgr or rgb, got 'BGR'"),
        (["padding"], -1, r"padding: expected a number above 0, got -1"),
        (["padding"], 10**400, r"padding: expected a magnitude from 1e-09 to 1e\+09, got 1000"),
        (["input", "std", 2], 1e-320, r"input\.std: expected a magnitude from 1e-09 to 1e\+09, got 1e-320"),
        (["input", "width"], 200_000, r"input: expected at most 8388608 pixels, got 200000 x"),
        (["decoder"], [], r"decoder: expected a string, got \[\]"),
        (["skeleton"], {}, r"skeleton: expected a string, got \{\}"),
        (["provenance"], ["fp16"], r"provenance: expected strings by name, got \['fp16'\]"),
        (["provenance"], {"precision": 8}, r"provenance: expected strings by name"),
        (["colour"], "red", r"unexpected keyword argument 'colour'"),
        (["kind"], "segmenter", r"kind 'segmenter'; expected pose or detector"),
    ],
)
def test_a_pose_network_s(place: list[str | int], value: object, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_from_json(changed(known_models.POSE_SPEC, place, value))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["class_count"], 0, r"class_count: expected an integer above 0, got 0"),
        (["person_class"], 1, r"person_class: expected one of 1 classes from 0, got 1"),
        (["person_class"], -1, r"person_class: expected an integer"),
        (["scales", 0, "stride"], 0, r"stride: expected an integer above 0, got 0"),
        (["scales", 1, "anchors", 0, 1], -2, r"anchors: expected a number above 0, got -2"),
        (["scales", 1, "anchors", 0], [1, 2, 3], r"is not a readable description"),
        (["letterbox"], None, r"letterbox: expected a string, got None"),
        (["scales"], 3, r"is not a readable description"),
    ],
)
def test_a_detector_s(place: list[str | int], value: object, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_from_json(changed(known_models.DETECTOR_SPEC, place, value))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "3", "[" * 100_000, '{"kind": "pose"}', '{"kind": "pose", "input": []}'])
def test_what_is_no_description(text: str) -> None:
    with pytest.raises(ModelError, match="is not a readable description"):
        spec_from_json(text)
