# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a JSON file of a user holds: what it should, or a DataFileError in one sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.tools.evaluate.coco_evaluation import boxes_from_file, read_annotations
from pose_resnet_ros.tools.predict.given_boxes import read_boxes

PERSON = {
    "id": 7, "image_id": 1, "category_id": 1, "bbox": [3, 4, 20, 30], "area": 500, "iscrowd": 0,
    "keypoints": [5, 6, 2] * 17, "num_keypoints": 17, "score": 0.5, "file_name": "a.jpg",
}  # fmt: skip
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
    "annotations": [PERSON],
    "categories": [{"id": 1, "name": "person"}],
}
NUMBERS = st.integers(-2, 9) | st.floats() | st.sampled_from((10**400, 2**63, 1e308, -0.0))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.sampled_from(("a.jpg", "../a.jpg", "/", "\0", "\ud800")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(PERSON)), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A right file in which up to three values are others, gone or added."""
    whole: Any = copy.deepcopy(draw(st.sampled_from((COCO, [PERSON], [PERSON, PERSON]))))
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, whole)
    return json.dumps(whole)


def _change(draw: st.DrawFn, whole: Any) -> None:
    place = whole
    while isinstance(place, (dict, list)) and place:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or draw(st.integers(0, 2)) == 0:
            if draw(st.integers(0, 3)):
                place[key] = draw(VALUES)
            else:
                del place[key]
            return
        place = place[key]


BYTES = files().map(str.encode) | mutated([json.dumps(COCO).encode()]) | st.sampled_from((b"[" * 100_000, b"\xff\xfe[\0]\0", b""))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "file.json"


@given(data=BYTES | VALUES.map(json.dumps).map(str.encode))
@pytest.mark.parametrize("read", [read_boxes, read_annotations, boxes_from_file])
def test_a_file_is_read_or_refused_in_one_sentence(path: Path, read: Callable[[Path], Any], data: bytes) -> None:
    path.write_bytes(data)
    try:
        content = read(path)
    except PoseError as error:
        said = str(error)
    else:
        said = ""
        if read is read_boxes:
            boxes = content.detections(range(len(content.boxes)))
            assert np.isfinite(boxes.boxes_xyxy).all()
            assert np.isfinite(boxes.scores).all()
            assert is_valid(boxes.boxes_xyxy).shape == (len(content.boxes),)
            content.indices_of(Path("a.jpg"))
    assert "\n" not in said
