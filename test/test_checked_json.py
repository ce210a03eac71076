# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pose_resnet_ros import checked_json
from pose_resnet_ros.checked_json import (
    BOX,
    FLAG,
    KEYPOINTS,
    NAME,
    NUMBER,
    SIZE,
    WHOLE,
    Field,
    checked_rows,
    coco_lists,
    read_json,
    require_unique,
)
from pose_resnet_ros.core.errors import DataFileError


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (NUMBER, [0, -1.5, 1e9], [True, None, "1", float("nan"), float("inf"), 10**400, [1], {}]),
        (WHOLE, [0, -7, 7.0, 2**62], [7.5, False, "7", 10**400, float("nan"), None, [7]]),
        (SIZE, [1, 640.0], [0, -1, 1.5, "640"]),
        (FLAG, [0, 1], [2, "0", None, []]),
        (NAME, ["a.png", "caf\udce9.png"], ["", "a\0b", 7, None, ["a"]]),
        (BOX, [[1, 2, 3, 4.5], [0, 0, 0, 0]], [[1, 2, 3], [1, 2, 3, None], [1, 2, 3, 10**400], "1234", 4]),
        (KEYPOINTS, [[], [0] * 51], [[0] * 54, [0] * 50 + ["0"], None, {}]),
    ],
)
def test_what_the_fields_take(field: Field, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not field.holds(value)] == []
    assert [value for value in bad if field.holds(value)] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_in_unicodes_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.json").write_text('{"name": "é"}', encoding=encoding)
    assert read_json(tmp_path / "a.json") == {"name": "é"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a JSON file"),
        (b"{", "not a JSON file"),
        (b"\xff\xd8\xff\xe0 a JPEG", "not a JSON file"),
        (b'{"a": "\xe9"}', "not a JSON file"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataFileError, match=rf"a\.json: {message}") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(DataFileError, match="a folder, a pipe or a device"):
            read_json(path)
    with pytest.raises(DataFileError, match="none: cannot be read: No such file"):
        read_json(tmp_path / "none")


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(checked_json.MAX_BYTES + 1)  # no blocks on the disk
    with pytest.raises(DataFileError, match="at most 1024 MiB"):
        read_json(tmp_path / "a.json")


def test_rows_are_named_by_their_place() -> None:
    rows = [{"id": 1, "more": None}, {"id": "two"}]
    with pytest.raises(DataFileError, match=r"^f: list\[1\]\.id: expected an integer, got 'two'$"):
        checked_rows(rows, {"id": WHOLE}, where="f: list")
    with pytest.raises(DataFileError, match=r"^f\[0\]\.more: expected a finite number, got None$"):
        checked_rows(rows, {}, optional={"more": NUMBER}, where="f")
    with pytest.raises(DataFileError, match=r"^f\[0\]: expected an object, got 3$"):
        checked_rows([3], {}, where="f")
    with pytest.raises(DataFileError, match=r"^f: expected a list of objects, got an object$"):
        checked_rows({}, {}, where="f")
    assert checked_rows(rows[:1], {"id": WHOLE}, where="f") == rows[:1]


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(DataFileError) as caught:
        checked_rows([{"name": ["x" * 1000] * 1000}], {"name": NAME}, where="f")
    assert len(str(caught.value)) < 300
    assert "(1000 values)" in str(caught.value)


def test_values_of_their_own() -> None:
    with pytest.raises(DataFileError, match=r"^f\[2\]\.id: expected a unique value, got 1 as in \[0\]$"):
        require_unique([{"id": 1}, {"id": 2}, {"id": 1}], "id", where="f")


def test_a_coco_file_hangs_together() -> None:
    fields: dict[str, Any] = {"images": {"id": WHOLE}, "annotations": {"image_id": WHOLE}, "where": "f"}
    data = {"images": [{"id": 3}], "annotations": [{"image_id": 3}, {"image_id": 4}], "info": None}
    with pytest.raises(DataFileError, match=r"annotations\[1\]\.image_id: expected the id of an image, got 4"):
        coco_lists(data, **fields)
    data["annotations"].pop()  # type: ignore[union-attr]
    assert coco_lists(json.loads(json.dumps(data)), **fields) == {k: data[k] for k in ("images", "annotations")}
    with pytest.raises(DataFileError, match="f: categories: expected a list, got nothing"):
        coco_lists(data, categories={}, **fields)
