# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from pose_resnet_ros.tools.predict.coco_results import ImageNames


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["a"], {"a/1.png": "1.png"}),
        (["a/1.png"], {"a/1.png": "1.png"}),
        (["a", "b"], {"a/1.png": "a/1.png", "b/1.png": "b/1.png"}),
        (["a/1.png", "./b"], {"a/1.png": "a/1.png", "b/1.png": "b/1.png"}),
        (["a", "0", "none.png"], {"a/1.png": "1.png", "0": "0"}),
        (["0"], {"0": "0"}),
    ],
)
def test_names_tell_pictures_apart(tree: Path, inputs: list[str], names: dict[str, str]) -> None:
    of = ImageNames(inputs).of
    assert {path: of(Path(path)) for path in names} == names


def test_absolute_inputs_have_the_same_names(tree: Path) -> None:
    names = ImageNames([str(tree / "a"), "b"])
    assert names.of(tree / "a" / "1.png") == "a/1.png"
