# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What ``pose_resnet_ros`` itself offers: these names, and nothing heavy until one of them is used."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import pytest
from videos import write_video

import pose_resnet_ros
from pose_resnet_ros.core import errors

ROOT = Path(__file__).resolve().parents[1]
NAMES = {
    *("load_pipeline", "PosePipeline", "PersonStream", "PipelineResult", "Detections", "People"),
    *("LoadSettings", "FrameSettings", "StreamSettings", "TrackingSettings", "SmoothingSettings"),
    *("PoseError", "BackendError", "BenchmarkError", "DataFileError", "DownloadError", "ImageError"),
    *("IncompleteVideoError", "InferenceCancelled", "ModelError", "SettingsError"),
}


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after the statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return set(done.stdout.split())


def test_the_names_are_these():
    assert set(pose_resnet_ros.__all__) == NAMES
    assert set(dir(pose_resnet_ros)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_is_the_object_that_its_module_defines(name: str):
    found = getattr(pose_resnet_ros, name)
    assert found.__name__ == name
    assert getattr(sys.modules[found.__module__], name) is found


def test_every_error_is_among_them():
    assert {name for name, value in vars(errors).items() if isinstance(value, type)} <= NAMES


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "pose_resnet_ros" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert {alias.name for statement in block.body for alias in statement.names} == NAMES
    assert (Path(pose_resnet_ros.__file__).parent / "py.typed").is_file()


def test_the_api_reference_has_every_name_and_only_modules_that_exist():
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.rst")}
    assert set(re.findall(r"^   ~\S+\.(\w+)$", pages["index"], re.MULTILINE)) == NAMES
    documented = re.findall(r"automodule:: pose_resnet_ros\.(\S+)", "".join(pages.values()))
    package = Path(pose_resnet_ros.__file__).parent
    assert all((package / f"{name.replace('.', '/')}.py").is_file() for name in documented)


def test_the_examples_of_the_api_reference_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    page = (ROOT / "docs" / "api" / "index.rst").read_text(encoding="utf-8")
    street = cv2.imread(str(ROOT / "docs" / "images" / "street.jpg"))
    cv2.imwrite(str(tmp_path / "people.jpg"), street)
    write_video(tmp_path / "people.mp4", [street] * 3)
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", page)
    for example in examples:
        exec(textwrap.dedent(example), {})
    first, *streamed = capsys.readouterr().out.splitlines()
    persons = int(re.match(r"\((\d+), 18, 2\)", first)[1])
    assert len(examples) == 2
    assert persons >= 4
    unconfirmed, *ids = [sorted(ast.literal_eval(line)) for line in streamed]  # people are in the order of their scores
    assert unconfirmed == []
    assert len(ids[0]) >= 4
    assert ids == [list(range(1, len(ids[0]) + 1))] * 2


@pytest.mark.parametrize("statement", ["import pose_resnet_ros", "from pose_resnet_ros import ModelError"])
def test_importing_it_loads_nothing_heavy(statement: str):
    assert not {"cv2", "numpy", "onnxruntime", "rclpy", "scipy"} & loaded_by(statement)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'pose_resnet_ros' has no attribute 'load_pipelines'"):
        pose_resnet_ros.load_pipelines  # noqa: B018


def test_modules_and_generated_messages_are_still_found():
    from pose_resnet_ros import settings

    assert settings.__name__ == "pose_resnet_ros.settings"
    pytest.importorskip("rclpy")
    from pose_resnet_ros import msg

    assert msg.PersonArray.__name__ == "PersonArray"
