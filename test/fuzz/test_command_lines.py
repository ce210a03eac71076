# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a command line says: a result or one line of an error, never a traceback, and no file that looks whole and is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_resnet_ros.tools import cli

SUFFIXES = (".jpg", ".json", ".mp4", ".mcap", ".db3", ".onnx", ".pth", ".weights", ".zip", "")
FILES = [f"{kind}{suffix}" for kind in ("junk", "empty") for suffix in SUFFIXES]
NAMES = ["folder", "none.jpg", "none/none", "link", "loop", "x" * 300, "\udcff.jpg", "", ".", "..", "~nobody"]
MODELS = ["person_lite", "pose_resnet_lite", "pose_resnet_50_256x192", "yolox_s", "full_frame"]
WORDS = st.sampled_from(FILES + NAMES + MODELS) | st.text(max_size=4).map(lambda text: text.replace("\0", ""))
OPTIONS = {
    "predict": ("--json", "--boxes", "-o", "--topic", "--workers", "--detector-input", "--max-persons", "--pose-model"),
    "export": ("--output", "--model", "--opset", "--calibration", "--fp16", "--split"),
    "evaluate": ("--limit", "--results", "--boxes", "--csv"),
    "models": ("--name", "--like", "--as", "--person-class", "--kind"),
}
OUTPUTS = ("--json", "-o", "--output", "--csv")
VERBS = ("list", "info", "path", "verify", "add")  # fetch would ask the network


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    tool = draw(st.sampled_from(sorted(OPTIONS)))
    words = [tool]
    if tool == "models":
        words.append(draw(st.sampled_from(VERBS)))
    if tool == "evaluate":
        words += ["--annotations", draw(WORDS), "--images", draw(WORDS)]
    else:
        words += draw(st.lists(WORDS, max_size=2))
    for _ in range(draw(st.integers(0, 2))):
        words += [draw(st.sampled_from(OPTIONS[tool])), draw(WORDS)]
    return words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("command_lines")
    (made / "folder").mkdir()
    (made / "link").symlink_to("junk.jpg")
    (made / "loop").symlink_to("loop")
    return made


def outputs_of(words: list[str]) -> set[str]:
    """The files that the command line names as outputs and nowhere else."""
    places = {index + 1 for index, word in enumerate(words[:-1]) if word in OUTPUTS}
    others = {os.path.realpath(word) for index, word in enumerate(words) if index not in places and "\0" not in word}
    return {os.path.realpath(words[place]) for place in places} - others


@settings(max_examples=settings.default.max_examples // 5)
@given(words=command_lines())
def test_a_command_line_ends_with_an_exit_code(folder: Path, words: list[str]) -> None:
    for name in FILES:
        (folder / name).write_bytes(b"" if name.startswith("empty") else b"junk" * 30)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outputs = outputs_of(words)
        patch.setenv("POSE_RESNET_ROS_HOME", str(folder / "home"))
        try:
            code = cli.main(words)
        except SystemExit as end:  # argparse's
            code = int(end.code or 0)
    assert code in (0, 1, 2)
    for name in FILES:
        if os.path.realpath(folder / name) in outputs:
            continue
        assert (folder / name).stat().st_size == (0 if name.startswith("empty") else 120), f"{name} was written over"
    assert not any(os.path.getsize(path) == 0 for path in folder.rglob("*.onnx") if path.name not in FILES)
